// What `Deno` is in a bundle: serve and env, and nothing that pretends to be more.
import { loaded } from '../module.guest.ts';
import { NativeString, NativeTypeError, deferred, reflectApply, reflectGetOwnPropertyDescriptor } from '../primordials.guest.ts';
import type { Request } from '../request.guest.ts';
import { register } from './shapes/server.guest.ts';
import type { ServerCall } from './shapes/server.guest.ts';

const HOSTNAME = '0.0.0.0';
const PORT = 8000;

interface Options {
  readonly handler?: unknown;
  readonly fetch?: unknown;
  readonly hostname?: string;
  readonly port?: number;
  readonly onListen?: (addr: object) => void;
  readonly onError?: (error: unknown) => unknown;
}

type ServeHandler = (request: Request, info: object) => unknown;

/** https://docs.deno.com/api/deno/~/Deno.serve: (handler), (options, handler), ({ handler, … }), and an object with `fetch`. */
export function serve(first: unknown, second?: unknown): object {
  const options: Options = typeof first === 'function' || first === null || first === undefined ? {} : first;
  const source = second ?? (typeof first === 'function' ? first : (options.handler ?? options));
  const handler = handlerOf(source);
  const { onError } = options;
  register({
    call: (request, ctx) => handler(request, infoOf(request, ctx)),
    error: typeof onError === 'function' ? (error) => reflectApply(onError, options, [error]) : undefined,
  });
  const finished = deferred<undefined>();
  const addr = { transport: 'tcp', hostname: options.hostname ?? HOSTNAME, port: options.port ?? PORT };
  options.onListen?.(addr);
  const shutdown = (): Promise<void> => {
    finished.resolve(undefined);
    return finished.promise;
  };
  // The platform starts and ends servers; a call of these changes nothing.
  return { addr, finished: finished.promise, shutdown, ref: (): void => {}, unref: (): void => {}, [Symbol.for('Symbol.asyncDispose')]: shutdown };
}

function handlerOf(source: unknown): ServeHandler {
  if (typeof source === 'function') return source as ServeHandler;
  const fetch = typeof source === 'object' && source !== null ? (source as Options).fetch : undefined;
  if (typeof fetch !== 'function') throw new NativeTypeError('Deno.serve needs a handler');
  return (request, info) => reflectApply(fetch as ServeHandler, source, [request, info]);
}

/** ServeHandlerInfo. The address is the one that the gateway saw; its port is not known. */
function infoOf(request: Request, { completed }: ServerCall): object {
  const [hostname = ''] = (request.headers.get('x-forwarded-for') ?? '').split(',');
  return { remoteAddr: { transport: 'tcp', hostname: hostname.trim(), port: 0 }, completed };
}

/** Deno.env, of the function's own environment; it can't be changed from inside. */
export const env = {
  get(key: unknown): string | undefined {
    return reflectGetOwnPropertyDescriptor(loaded.environment, NativeString(key))?.value as string | undefined;
  },
  has(key: unknown): boolean {
    return reflectGetOwnPropertyDescriptor(loaded.environment, NativeString(key)) !== undefined;
  },
  toObject(): Record<string, string> {
    return { ...loaded.environment };
  },
};
