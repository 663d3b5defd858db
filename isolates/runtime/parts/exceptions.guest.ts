// DOMException (Web IDL standard, section 4.3).
import { NativeError, NativeTypeError, ObjectDefineProperty, ObjectSetPrototypeOf, WeakMapPrototypeGet, WeakMapPrototypeSet, reflectConstruct } from '../primordials.guest.ts';

interface State {
  readonly message: string;
  readonly name: string;
}

/** By instance: an exception is an Error object, made by Error, so it can't have private fields of a class that is no subclass of Error. */
const states = new WeakMap<object, State>();

/** Names with their legacy codes, in the order of the codes; '' where a code has lost its name. */
const NAMES = [
  'IndexSizeError', '', 'HierarchyRequestError', 'WrongDocumentError', 'InvalidCharacterError', '', 'NoModificationAllowedError', 'NotFoundError', 'NotSupportedError',
  'InUseAttributeError', 'InvalidStateError', 'SyntaxError', 'InvalidModificationError', 'NamespaceError', 'InvalidAccessError', '', 'TypeMismatchError', 'SecurityError',
  'NetworkError', 'AbortError', 'URLMismatchError', 'QuotaExceededError', 'TimeoutError', 'InvalidNodeTypeError', 'DataCloneError',
] as const;

const CONSTANTS = [
  'INDEX_SIZE_ERR', 'DOMSTRING_SIZE_ERR', 'HIERARCHY_REQUEST_ERR', 'WRONG_DOCUMENT_ERR', 'INVALID_CHARACTER_ERR', 'NO_DATA_ALLOWED_ERR', 'NO_MODIFICATION_ALLOWED_ERR',
  'NOT_FOUND_ERR', 'NOT_SUPPORTED_ERR', 'INUSE_ATTRIBUTE_ERR', 'INVALID_STATE_ERR', 'SYNTAX_ERR', 'INVALID_MODIFICATION_ERR', 'NAMESPACE_ERR', 'INVALID_ACCESS_ERR',
  'VALIDATION_ERR', 'TYPE_MISMATCH_ERR', 'SECURITY_ERR', 'NETWORK_ERR', 'ABORT_ERR', 'URL_MISMATCH_ERR', 'QUOTA_EXCEEDED_ERR', 'TIMEOUT_ERR', 'INVALID_NODE_TYPE_ERR',
  'DATA_CLONE_ERR',
] as const;

/** Throws a TypeError for symbols, as String() would not. */
function text(value: unknown): string {
  return `${value as string}`;
}

function stateOf(value: unknown): State {
  const state = exceptionState(value);
  if (state === undefined) throw new NativeTypeError('Illegal invocation');
  return state;
}

/** What a structured clone needs of an exception besides its stack; undefined for anything else. */
export function exceptionState(value: unknown): { readonly message: string; readonly name: string } | undefined {
  return typeof value === 'object' && value !== null ? (WeakMapPrototypeGet(states, value) as State | undefined) : undefined;
}

export function isDOMException(value: unknown): boolean {
  return exceptionState(value) !== undefined;
}

export class DOMException {
  /** Inherited from Error's instances, which this one is. */
  declare readonly stack: string;

  constructor(message: string = '', name: string = 'Error') {
    const state = { message: text(message), name: text(name) };
    const error = reflectConstruct(NativeError as never, [], new.target) as DOMException;
    WeakMapPrototypeSet(states, error, state);
    return error;
  }

  get name(): string { return stateOf(this).name; }
  get message(): string { return stateOf(this).message; }
  get code(): number {
    const { name } = stateOf(this);
    for (let i = 0; i < NAMES.length; i++) if (NAMES[i] === name && name !== '') return i + 1;
    return 0;
  }
}

// An Error by its prototype, but the interface object is none of Error's: Web IDL, section 3.14.1.
ObjectSetPrototypeOf(DOMException.prototype, NativeError.prototype);
for (let i = 0; i < CONSTANTS.length; i++) {
  const constant = { value: i + 1, enumerable: true };
  ObjectDefineProperty(DOMException, CONSTANTS[i] as string, constant);
  ObjectDefineProperty(DOMException.prototype, CONSTANTS[i] as string, constant);
}
