// What `Bun` is in a bundle: serve and env, and nothing that pretends to be more.
import type { ExecutionContext } from '../invocation.guest.ts';
import { loaded } from '../module.guest.ts';
import { NativeTypeError, reflectApply, reflectDefineProperty } from '../primordials.guest.ts';
import { Request } from '../request.guest.ts';
import { Response, isResponse } from '../response.guest.ts';
import { URL } from '../url.guest.ts';
import { compileRoutes, matchRoute } from './shapes/bun-routes.guest.ts';
import type { Routes } from './shapes/bun-routes.guest.ts';
import { handlerOf, register } from './shapes/server.guest.ts';

type BunHandler = (this: unknown, request: Request, server: object) => unknown;

interface Options {
  readonly fetch?: unknown;
  readonly error?: unknown;
  readonly routes?: unknown;
  readonly static?: unknown;
  readonly hostname?: string;
  readonly port?: number | string;
  readonly development?: unknown;
  readonly id?: string;
}

/** What routing works with; `reload` replaces it. */
interface Program {
  readonly options: Options;
  readonly fetch: BunHandler | undefined;
  readonly error: BunHandler | undefined;
  readonly routes: Routes;
}

function programOf(options: unknown): Program {
  if (typeof options !== 'object' || options === null) throw new NativeTypeError('Bun.serve expects an object');
  const { fetch, error, routes, static: fixed } = options as Options;
  const compiled = compileRoutes(routes ?? fixed);
  if (typeof fetch !== 'function' && compiled.length === 0) throw new NativeTypeError('Bun.serve needs fetch or routes');
  return { options, fetch: typeof fetch === 'function' ? (fetch as BunHandler) : undefined, error: typeof error === 'function' ? (error as BunHandler) : undefined, routes: compiled };
}

/** https://bun.com/docs/runtime/http/server; @returns what a program can do with a server that the platform runs */
export function serve(options: unknown): object {
  let program = programOf(options);
  const hostname = program.options.hostname ?? 'localhost';
  const port = Number(program.options.port ?? 3000);
  const own = {
    call: (request: Request): unknown => route(program, request, server),
    get error() {
      const { error } = program;
      return error === undefined ? undefined : (thrown: unknown) => reflectApply(error, server, [thrown as Request, server]);
    },
  };
  const server = {
    hostname, port, id: program.options.id ?? '', development: false, pendingRequests: 0, pendingWebSockets: 0, protocol: 'http',
    url: new URL(`http://${hostname}:${port}/`),
    fetch: async (request: unknown): Promise<unknown> => handlerOf(own)(request instanceof Request ? request : new Request(new URL(String(request), server.url).href), loaded.environment, {} as ExecutionContext),
    reload(next: unknown): object {
      program = programOf(next);
      return server;
    },
    requestIP: (request: Request): object | null => addressOf(request),
    stop: async (): Promise<void> => {},
    /** Upgrades are not taken: the request goes on as it is. */
    upgrade: (): boolean => false,
    timeout: (): void => {},
    ref: (): void => {},
    unref: (): void => {},
  };
  register(own);
  return server;
}

function route(program: Program, request: Request, server: object): unknown {
  const matched = program.routes.length === 0 ? undefined : matchRoute(program.routes, request);
  if (matched === undefined) {
    // A function without a fallback answers as Bun does.
    return program.fetch === undefined ? new Response(null, { status: 404 }) : reflectApply(program.fetch, program.options, [request, server]);
  }
  const { target, params } = matched;
  if (isResponse(target)) return target.clone();
  reflectDefineProperty(request, 'params', { value: params, writable: true, enumerable: true, configurable: true });
  return reflectApply(target as BunHandler, server, [request, server]);
}

/** The address that the gateway saw; its port is not known. */
function addressOf(request: Request): object | null {
  const [address = ''] = (request.headers.get('x-forwarded-for') ?? '').split(',');
  return address === '' ? null : { address: address.trim(), family: address.includes(':') ? 'IPv6' : 'IPv4', port: 0 };
}

/** Bun.env: one object with process.env and import.meta.env. */
export const env = loaded.environment;
