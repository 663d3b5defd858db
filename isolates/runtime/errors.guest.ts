// DOMException, and how thrown values become text inside the timed call: the host never touches a tenant's object.
import { NativeError, NativeString, ObjectDefineProperty, ObjectKeys, StringPrototypeSlice } from './primordials.guest.ts';

/** Legacy codes of the Web IDL standard, section 4.3. */
const CODES: Readonly<Record<string, number>> = {
  IndexSizeError: 1, HierarchyRequestError: 3, WrongDocumentError: 4, InvalidCharacterError: 5, NoModificationAllowedError: 7, NotFoundError: 8, NotSupportedError: 9,
  InUseAttributeError: 10, InvalidStateError: 11, SyntaxError: 12, InvalidModificationError: 13, NamespaceError: 14, InvalidAccessError: 15, TypeMismatchError: 17,
  SecurityError: 18, NetworkError: 19, AbortError: 20, URLMismatchError: 21, QuotaExceededError: 22, TimeoutError: 23, InvalidNodeTypeError: 24, DataCloneError: 25,
};

const CONSTANTS: Readonly<Record<string, number>> = {
  INDEX_SIZE_ERR: 1, DOMSTRING_SIZE_ERR: 2, HIERARCHY_REQUEST_ERR: 3, WRONG_DOCUMENT_ERR: 4, INVALID_CHARACTER_ERR: 5, NO_DATA_ALLOWED_ERR: 6,
  NO_MODIFICATION_ALLOWED_ERR: 7, NOT_FOUND_ERR: 8, NOT_SUPPORTED_ERR: 9, INUSE_ATTRIBUTE_ERR: 10, INVALID_STATE_ERR: 11, SYNTAX_ERR: 12, INVALID_MODIFICATION_ERR: 13,
  NAMESPACE_ERR: 14, INVALID_ACCESS_ERR: 15, VALIDATION_ERR: 16, TYPE_MISMATCH_ERR: 17, SECURITY_ERR: 18, NETWORK_ERR: 19, ABORT_ERR: 20, URL_MISMATCH_ERR: 21,
  QUOTA_EXCEEDED_ERR: 22, TIMEOUT_ERR: 23, INVALID_NODE_TYPE_ERR: 24, DATA_CLONE_ERR: 25,
};

export class DOMException extends NativeError {
  readonly #name: string;

  constructor(message = '', name: string | { readonly name?: string; readonly cause?: unknown } = 'Error') {
    const options = typeof name === 'object' ? name : undefined;
    super(NativeString(message), options !== undefined && 'cause' in options ? { cause: options.cause } : undefined);
    this.#name = NativeString(options === undefined ? name : (options.name ?? 'Error'));
  }

  override get name(): string {
    return this.#name;
  }

  get code(): number {
    return CODES[this.#name] ?? 0;
  }
}

for (const name of ObjectKeys(CONSTANTS)) {
  const constant = { value: CONSTANTS[name] ?? 0, enumerable: true };
  ObjectDefineProperty(DOMException, name, constant);
  ObjectDefineProperty(DOMException.prototype, name, constant);
}
ObjectDefineProperty(DOMException.prototype, Symbol.toStringTag, { value: 'DOMException', configurable: true });

const MESSAGE_CHARACTERS = 4_096;
const STACK_CHARACTERS = 16_384;

/** Plain strings about a thrown value, capped; safe for proxies, throwing getters, null and whatever else tenants throw. */
export interface Described {
  readonly message: string;
  readonly stack: string;
}

export function describeThrown(thrown: unknown): Described {
  if (typeof thrown !== 'object' || thrown === null) return { message: clip(primitive(thrown), MESSAGE_CHARACTERS), stack: '' };
  const error = thrown as { name?: unknown; message?: unknown; stack?: unknown };
  const name = text(() => error.name) || 'Error';
  const message = text(() => error.message);
  const head = message === '' ? name : `${name}: ${message}`;
  const stack = text(() => error.stack);
  return { message: clip(head, MESSAGE_CHARACTERS), stack: clip(stack, STACK_CHARACTERS) };
}

function primitive(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'symbol' ? 'Symbol()' : typeof value === 'function' ? 'function' : NativeString(value);
}

function text(read: () => unknown): string {
  try {
    const value = read();
    return typeof value === 'string' ? value : value === undefined ? '' : primitive(value);
  } catch {
    return '';
  }
}

function clip(value: string, characters: number): string {
  return value.length <= characters ? value : `${StringPrototypeSlice(value, 0, characters)}…`;
}
