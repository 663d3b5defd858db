// node:assert/strict.
import assert from '../assert.ts';

export const { AssertionError, deepEqual, deepStrictEqual, doesNotMatch, equal, fail, ifError, match, notDeepEqual, notDeepStrictEqual, notEqual, notStrictEqual, ok, strict, strictEqual } = assert.strict;
// Errors name these by their functions' names, which a bundler would change beside others of the same name.
const { doesNotReject: noRejection, doesNotThrow: noThrow, rejects: rejection, throws: thrown } = assert.strict;
export { noRejection as doesNotReject, noThrow as doesNotThrow, rejection as rejects, thrown as throws };
export default assert.strict;
