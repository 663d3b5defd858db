// DOMException: names, codes, shape.
import { report, thrown } from './lib/report.ts';

const names = ['IndexSizeError', 'NotFoundError', 'NotSupportedError', 'InvalidStateError', 'SyntaxError', 'InvalidAccessError', 'TypeMismatchError', 'SecurityError', 'NetworkError', 'AbortError', 'QuotaExceededError', 'TimeoutError', 'DataCloneError', 'OperationError', 'EncodingError', 'NotAllowedError', 'Own'];

export default {
  fetch: async (): Promise<Response> =>
    report({
      'codes': () => names.map((name) => new DOMException('', name).code),
      'defaults': () => {
        const { name, message, code } = new DOMException();
        return [name, message, code];
      },
      'members': () => {
        const { name, message, code } = new DOMException('m', 'AbortError');
        return [name, message, code];
      },
      'is an error': () => [new DOMException() instanceof Error, Object.prototype.toString.call(new DOMException()), String(new DOMException('m', 'AbortError')), typeof new DOMException().stack],
      'constants': () => [DOMException.ABORT_ERR, new DOMException().DATA_CLONE_ERR, DOMException.prototype.TIMEOUT_ERR],
      'where members are': () => [Object.keys(new DOMException('m')), Object.hasOwn(DOMException.prototype, 'message'), Object.hasOwn(DOMException.prototype, 'name')],
      'wrong receiver': () => thrown(() => Reflect.get(DOMException.prototype, 'code', {})),
      'without new': () => thrown(() => (DOMException as unknown as () => void)()),
      'message as text': () => new DOMException(1 as unknown as string, null as unknown as string).name,
    }),
};
