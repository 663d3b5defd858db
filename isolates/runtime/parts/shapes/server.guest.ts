// Servers that modules start themselves: the first one becomes the function's handler.
import type { Handler } from '../../invocation.guest.ts';
import { loaded } from '../../module.guest.ts';
import { NativeTypeError, deferred } from '../../primordials.guest.ts';
import type { Request } from '../../request.guest.ts';

export interface ServerCall {
  readonly env: unknown;
  readonly ctx: Parameters<Handler>[2];
  /** Settles when the handler is done: its response, or what it threw, is on its way. */
  readonly completed: Promise<void>;
}

export interface Server {
  call(request: Request, call: ServerCall): unknown;
  /** Makes the response for what `call` threw; undefined: it stays a failure of the function. */
  readonly error: ((thrown: unknown) => unknown) | undefined;
}

/** Throws a TypeError for a second server: one function answers at one address. */
export function register(server: Server): void {
  if (loaded.server !== undefined) throw new NativeTypeError('the function has started a server already');
  loaded.server = handlerOf(server);
}

export function handlerOf(server: Server): Handler {
  return async (request, env, ctx) => {
    const completed = deferred<void>();
    try {
      const response = await server.call(request, { env, ctx, completed: completed.promise });
      completed.resolve();
      return response;
    } catch (thrown) {
      completed.resolve();
      if (server.error === undefined) throw thrown;
      return await server.error(thrown);
    }
  };
}
