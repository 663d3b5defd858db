// Names that are given twice, found in any JSON text.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { duplicateKey } from '../../../control/rest/duplicate-keys.ts';

describe('a name that is given twice', () => {
  it.each<[string, readonly PropertyKey[]]>([
    ['{"a":1,"a":2}', ['a']],
    ['{"a":1,"\\u0061":2}', ['a']],
    ['{"x":{"b":[1,{"c":1,"d":"}]","c":2}]}}', ['x', 'b', 1, 'c']],
    ['[{"a":1},{"a":1,"b":{},"a":[]}]', [1, 'a']],
    ['{"a\\"":1, "b":"\\\\", "a\\"" : 3}', ['a"']],
    ['{"__proto__":1,"__proto__":2}', ['__proto__']],
    ['{"":1,"":2}', ['']],
  ])('%s', (text, path) => {
    expect(duplicateKey(text)).toEqual(path);
  });

  it('is not found where there is none, whatever the text holds', () => {
    fc.assert(fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.constantFrom(undefined, 1, '\t'), (value, space) => duplicateKey(JSON.stringify(value, null, space)) === undefined), { numRuns: 150 });
    for (const text of ['0', '"a"', '"{\\"a\\":1,\\"a\\":1}"', '{"a":"a","b":"a"}', '{"a":["a","a"],"b":{"a":1}}', ' [ ] ']) expect(duplicateKey(text)).toBeUndefined();
  });

  it('is found in any object of any value', () => {
    fc.assert(fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { minKeys: 1 }), fc.nat(), fc.jsonValue(), (object, pick, value) => {
      const names = Object.keys(object);
      const name = names[pick % names.length] ?? '';
      const text = `{"outer":[0,${JSON.stringify(object).slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(value)}}]}`;
      expect(duplicateKey(text)).toEqual(['outer', 1, name]);
    }), { numRuns: 100 });
  });

  it('costs little in large uploads', () => {
    const text = JSON.stringify({ files: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}.ts`, 'line "quoted" \\ \n'.repeat(50_000)])) });
    const startedUs = process.cpuUsage().user;
    expect(duplicateKey(text)).toBeUndefined();
    // 22 MB: about 0.1 s.
    expect(process.cpuUsage().user - startedUs).toBeLessThan(2_000_000);
  });
});
