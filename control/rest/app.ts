// The hono application: token, checks, dispatch to endpoints, problems. Nothing of a request's body or headers is ever logged.
import { Hono } from 'hono';
import type { Context } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import { constantTimeEqual } from '../../core/crypto/index.ts';
import { PlatformError, toPlatformError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/log/index.ts';
import type { Endpoint, Input } from './endpoint.ts';
import { parseWith, problemResponse } from './problems.ts';
import { readJsonBody } from './request-body.ts';

export interface AppOptions {
  readonly endpoints: readonly Endpoint[];
  readonly token: string;
  readonly logger: Logger;
}

type App = Hono<{ Bindings: HttpBindings }>;
type AppContext = Context<{ Bindings: HttpBindings }>;

/** The one role of this release: the holder of the node's token. */
const ADMIN = 'admin';

export function createApp({ endpoints, token, logger }: AppOptions): App {
  const app: App = new Hono<{ Bindings: HttpBindings }>({ strict: true });
  const open = new Set(endpoints.filter((e) => e.access === 'open').map((e) => e.path));
  app.use('*', async (c, next) => {
    // Unknown addresses too: who has no token learns nothing about what there is.
    if (!open.has(c.req.path) && !authorised(c.req.header('authorization'), token)) throw new PlatformError('unauthorized');
    await next();
  });
  for (const one of endpoints) app.on(one.method, routePath(one.path), (c) => serve(c, one));
  for (const [path, methods] of methodsByPath(endpoints)) {
    app.all(routePath(path), () => {
      throw new PlatformError('method_not_allowed', { allow: methods.join(', ') });
    });
  }
  app.notFound(() => problemResponse(new PlatformError('not_found', { what: 'this address' })));
  app.onError((thrown) => {
    const error = toPlatformError(thrown);
    if (error.spec.fault === 'platform') logger.error({ err: error, cause: describeCause(error), code: error.code }, 'a request failed');
    return problemResponse(error);
  });
  return app;
}

async function serve(c: AppContext, spec: Endpoint): Promise<Response> {
  const params = parseWith(spec.params, c.req.param());
  const query = parseWith(spec.query, queryOf(c.req.url));
  let body: unknown;
  if (spec.body !== undefined) {
    const read = await readJsonBody(c.env.incoming, spec.body.limitBytes);
    const raw = read === undefined && spec.body.optional ? {} : read;
    body = parseWith(spec.body.pick?.(raw) ?? spec.body.schema, raw);
  }
  const input: Input<unknown, unknown, unknown> = { params, query, body, actor: { name: ADMIN, from: c.env.incoming.socket.remoteAddress ?? '' } };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed with the schemas that gave the handler its types
  const answer = await spec.handle(input as Input<never, never, never>);
  if (answer instanceof Response) return answer;
  return new Response(JSON.stringify(answer.body), { status: answer.status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } });
}

function authorised(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
  // An empty token would let everyone in who sends none.
  return given !== undefined && token !== '' && constantTimeEqual(given, token);
}

function queryOf(url: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [key, value] of new URL(url).searchParams) {
    if (Object.hasOwn(query, key)) throw new PlatformError('invalid', { errors: [{ path: key.slice(0, 100), message: 'must be given once' }] });
    Object.defineProperty(query, key, { value, enumerable: true });
  }
  return query;
}

function routePath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

function methodsByPath(endpoints: readonly Endpoint[]): Map<string, string[]> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of endpoints) {
    const all = methods.get(path) ?? [];
    all.push(...(method === 'GET' ? ['GET', 'HEAD'] : [method]));
    methods.set(path, all);
  }
  return methods;
}

function describeCause(error: PlatformError): string | undefined {
  return error.cause instanceof Error ? error.cause.message : undefined;
}
