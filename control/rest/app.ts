// The hono application: callers, checks, dispatch to endpoints, problems. Nothing of a request's body or headers is ever logged.
import { Hono } from 'hono';
import type { Context } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import { PlatformError, toPlatformError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/log/index.ts';
import { NODE_ADMIN, checkRole, checkSettings, checkTarget } from '../access/index.ts';
import type { Caller, Gatekeeper, Lookup, Tokens } from '../access/index.ts';
import type { Actor } from '../model/index.ts';
import type { Endpoint, Input } from './endpoint.ts';
import { Representations, conditionsOf, matches, matchesWeakly, tagOf } from './entity-tags.ts';
import type { Conditions } from './entity-tags.ts';
import { isKeptAnswer } from './idempotency-keys.ts';
import type { FirstRun, IdempotencyKeys, KeptAnswer } from './idempotency-keys.ts';
import { parseWith, problemResponse } from './problems.ts';
import { readJsonBody } from './request-body.ts';
import { RequestGuard } from './request-guard.ts';
import { watchedStream } from './watched-stream.ts';

export interface AppOptions {
  readonly endpoints: readonly Endpoint[];
  readonly gatekeeper: Gatekeeper;
  readonly tokens: Tokens;
  readonly idempotencyKeys: IdempotencyKeys;
  readonly lookup: Lookup;
  readonly logger: Logger;
}

export interface Bindings {
  readonly Bindings: HttpBindings;
  readonly Variables: { readonly caller: Caller };
}
type AppContext = Context<Bindings>;

const JSON_TYPE = 'application/json';

export function createApp(options: AppOptions): Hono<Bindings> {
  const { endpoints, gatekeeper, logger } = options;
  const app = new Hono<Bindings>({ strict: true });
  const open = new Set(endpoints.filter((e) => e.access === 'open').map((e) => e.path));
  const representations = new Representations(endpoints);
  app.use('*', async (c, next) => {
    // Unknown addresses too: who has no token learns nothing about what there is.
    c.set('caller', open.has(c.req.path) ? NODE_ADMIN : gatekeeper.identify(bearerOf(c), addressOf(c)));
    await next();
  });
  for (const one of endpoints) app.on(one.method, routePath(one.path), (c) => serve(c, one, options, representations));
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

async function serve(c: AppContext, spec: Endpoint, { tokens, lookup, idempotencyKeys }: AppOptions, representations: Representations): Promise<Response> {
  const caller = c.get('caller');
  checkRole(caller, spec);
  const params = parseWith(spec.params, c.req.param());
  checkTarget(caller, spec, params, lookup);
  const query = parseWith(spec.query, queryOf(c.req.url));
  const conditions = conditionsOf((name) => c.req.header(name));
  let raw: unknown;
  let body: unknown;
  if (spec.body !== undefined) {
    const read = await readJsonBody(c.env.incoming, spec.body.limitBytes);
    raw = read === undefined && spec.body.optional ? {} : read;
    body = parseWith(spec.body.pick?.(raw) ?? spec.body.schema, raw);
  }
  const allowed = (): void => {
    if (!tokens.holds(caller)) throw new PlatformError('unauthorized');
    checkTarget(caller, spec, params, lookup);
    checkSettings(caller, spec, params, body, lookup);
  };
  const named: Actor = { name: caller.name, from: addressOf(c) };
  const read = spec.method === 'GET';
  let firstRun: FirstRun | undefined;
  const key = spec.method === 'POST' ? c.req.header('idempotency-key') : undefined;
  if (key !== undefined) {
    allowed();
    const begun = idempotencyKeys.begin(caller, bearerOf(c) ?? '', key, { path: c.req.path, query, body: raw ?? null });
    if (isKeptAnswer(begun)) return new Response(begun.text, { status: begun.status, headers: { 'content-type': begun.type, 'cache-control': 'no-store', 'idempotent-replayed': 'true' } });
    firstRun = begun;
  }
  try {
    const guard = new RequestGuard({ allowed, conditions: read ? undefined : conditionsOn(c, spec, conditions, caller, named, representations), firstRun });
    // Before any work; the ledger asks again at the commit.
    await guard.check();
    const input: Input<unknown, unknown, unknown> = { params, query, body, actor: { ...named, guard }, caller };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed with the schemas that gave the handler its types
    const answer = await spec.handle(input as Input<never, never, never>);
    if (answer instanceof Response) {
      if (firstRun !== undefined) {
        const text = await answer.text();
        await firstRun.answered({ status: answer.status, type: answer.headers.get('content-type') ?? JSON_TYPE, text });
        return new Response(text, answer);
      }
      if (!read || answer.body === null) return answer;
      const { outgoing } = c.env;
      return new Response(watchedStream(answer.body, { allowed, watch: (end) => tokens.watch(caller, end), cut: () => void outgoing.destroy() }), answer);
    }
    const text = JSON.stringify(answer.body);
    const tag = tagOf(spec, answer, text);
    if (conditions.ifMatch !== undefined && read && !matches(conditions.ifMatch, tag)) throw new PlatformError('precondition_failed');
    // With members that change by themselves, the same tag does not mean the same answer.
    if (tag !== undefined && spec.volatile === undefined && conditions.ifNoneMatch !== undefined && matchesWeakly(conditions.ifNoneMatch, tag)) {
      return new Response(null, { status: 304, headers: { etag: tag, 'cache-control': 'no-store' } });
    }
    await firstRun?.answered({ status: answer.status, type: JSON_TYPE, text });
    return new Response(text, { status: answer.status, headers: { 'content-type': JSON_TYPE, 'cache-control': 'no-store', ...(tag === undefined ? undefined : { etag: tag }) } });
  } catch (thrown) {
    await firstRun?.failed(await problemAnswer(thrown));
    throw thrown;
  }
}

/** The check of a write's If-Match and If-None-Match, or undefined when it has none. */
function conditionsOn(c: AppContext, spec: Endpoint, { ifMatch, ifNoneMatch }: Conditions, caller: Caller, actor: Actor, representations: Representations): (() => Promise<void>) | undefined {
  if (ifMatch === undefined && ifNoneMatch === undefined) return undefined;
  const gets = representations.of(spec);
  return async () => {
    const [nearest, ...above] = await Promise.all(gets.map((get) => representations.current(get, c.req.param(), caller, actor)));
    // What shows all of a thing has not changed: nor has any part of it.
    if (ifMatch !== undefined && !matches(ifMatch, nearest) && (ifMatch === '*' || !above.some((tag) => matches(ifMatch, tag)))) throw new PlatformError('precondition_failed');
    if (ifNoneMatch !== undefined && matchesWeakly(ifNoneMatch, nearest)) throw new PlatformError('precondition_failed');
  };
}

async function problemAnswer(thrown: unknown): Promise<KeptAnswer> {
  const response = problemResponse(toPlatformError(thrown));
  return { status: response.status, type: response.headers.get('content-type') ?? JSON_TYPE, text: await response.text() };
}

function bearerOf(c: AppContext): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
}

function addressOf(c: AppContext): string {
  return c.env.incoming.socket.remoteAddress ?? '';
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
