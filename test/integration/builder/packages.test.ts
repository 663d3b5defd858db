// Packages that functions are written with: whole, as they are installed, through the builder into a real host.
import { describe, expect, it } from 'vitest';
import { TestHost } from '../../support/isolates-host.ts';
import { packageFiles } from '../../support/packages.ts';

const host = TestHost.shared();

/** Deploys `source` with whole packages beside it. The budget is for machines that do much else. */
async function deploy(source: string, ...packages: string[]): Promise<number> {
  return await host().deployFiles({ 'index.ts': source, ...packageFiles(...packages) }, { cpuMs: 5_000 });
}

const json = async (target: number, path = '/', init: object = {}): Promise<unknown> => {
  const answer = await host().call(target, { path, ...init });
  if (answer.code !== null) return `${answer.code} ${answer.detail} ${host().logs.at(-1)?.message}`;
  return JSON.parse(answer.body.toString()) as unknown;
};

describe('routers', () => {
  it('hono: routes, parameters, middleware, validation of what comes in, errors', async () => {
    const target = await deploy(
      `import { Hono } from "hono"; import { cors } from "hono/cors"; import { HTTPException } from "hono/http-exception"; import { getCookie } from "hono/cookie"; import { validator } from "hono/validator";
      const app = new Hono<{ Bindings: { GREETING: string } }>();
      app.use("/api/*", cors()); app.use(async (c, next) => { await next(); c.header("x-after", "yes"); });
      app.get("/api/users/:id{[0-9]+}", (c) => c.json({ id: c.req.param("id"), q: c.req.query("q"), cookie: getCookie(c, "a"), env: c.env.GREETING }));
      app.post("/api/echo", validator("json", (v, c) => (typeof v.n === "number" ? v : c.json({ bad: true }, 400))), async (c) => c.json({ got: c.req.valid("json").n + 1 }));
      app.get("/teapot", () => { throw new HTTPException(418, { message: "tea" }); });
      app.notFound((c) => c.json({ missing: c.req.path }, 404));
      export default app;`,
      'hono',
    );
    const answer = await host().call(target, { path: '/api/users/7?q=x', headers: { cookie: 'a=1', origin: 'http://o' } });
    expect([answer.status, answer.headers['x-after'], answer.headers['access-control-allow-origin'], JSON.parse(answer.body.toString())]).toEqual([200, 'yes', '*', { id: '7', q: 'x', cookie: '1' }]);
    expect(await json(target, '/api/echo', { body: '{"n":1}', headers: { 'content-type': 'application/json' } })).toEqual({ got: 2 });
    expect(await json(target, '/api/echo', { body: '{}', headers: { 'content-type': 'application/json' } })).toEqual({ bad: true });
    expect((await host().call(target, { path: '/teapot' })).status).toBe(418);
    expect(await json(target, '/none')).toEqual({ missing: '/none' });
  });

  it('itty-router', async () => {
    const target = await deploy('import { AutoRouter, error } from "itty-router"; const router = AutoRouter(); router.get("/hello/:name", ({ name, query }) => ({ name, query })).get("/bad", () => error(422, "no")); export default router;', 'itty-router');
    expect(await json(target, '/hello/ada?x=1')).toEqual({ name: 'ada', query: { x: '1' } });
    expect((await host().call(target, { path: '/bad' })).status).toBe(422);
    expect((await host().call(target, { path: '/else' })).status).toBe(404);
  });
});

describe('libraries', () => {
  it('zod: parsing, errors, transforms', async () => {
    const target = await deploy(
      `import { z } from "zod"; const schema = z.strictObject({ name: z.string().min(2), age: z.coerce.number().int().default(3), when: z.iso.datetime().optional(), kind: z.discriminatedUnion("t", [z.object({ t: z.literal("a"), n: z.number() }), z.object({ t: z.literal("b") })]) });
      export default async (request) => { const parsed = schema.safeParse(await request.json()); return Response.json(parsed.success ? parsed.data : parsed.error.issues.map((i) => [i.code, i.path.join(".")])); };`,
      'zod',
    );
    expect(await json(target, '/', { body: '{"name":"ab","age":"7","kind":{"t":"a","n":1}}' })).toEqual({ name: 'ab', age: 7, kind: { t: 'a', n: 1 } });
    expect(await json(target, '/', { body: '{"name":"a","more":1,"kind":{"t":"c"}}' })).toEqual([['too_small', 'name'], ['invalid_union', 'kind.t'], ['unrecognized_keys', '']]);
  });

  it('date-fns: 5,000 files for one function, of which the bundle has what is used', async () => {
    const target = await deploy('import { addMonths, formatISO, differenceInCalendarDays, parseISO } from "date-fns"; export default () => { const d = parseISO("2024-01-31T00:00:00Z"); return Response.json([formatISO(addMonths(d, 1), { representation: "date" }), differenceInCalendarDays(parseISO("2024-03-01"), d)]); };', 'date-fns');
    expect(await json(target)).toEqual(['2024-02-29', 30]);
  });

  it('lodash, CommonJS: whole and by file', async () => {
    const target = await deploy('import _ from "lodash"; import { chunk } from "lodash"; import groupBy from "lodash/groupBy"; const fp = require("lodash/fp"); export default () => Response.json([chunk([1, 2, 3], 2), groupBy([1.2, 1.4, 2], Math.floor), _.template("<%= a %>!")({ a: "x" }), _.cloneDeep(new Map([[1, 2]])).get(1), fp.flow(fp.map((x) => x * 2), fp.sum)([1, 2]), _.merge({ a: { b: 1 } }, { a: { c: 2 } })]);', 'lodash');
    expect(await json(target)).toEqual([[[1, 2], [3]], { 1: [1.2, 1.4], 2: [2] }, 'x!', 2, 6, { a: { b: 1, c: 2 } }]);
  });

  it.each([['pg-core', 'pgTable', '$'], ['sqlite-core', 'sqliteTable', '?']])('drizzle-orm: queries of %s as SQL, without a driver', async (core, table, mark) => {
    const target = await deploy(
      `import { QueryBuilder, ${table} as table, integer, text } from "drizzle-orm/${core}"; import { eq, and, gt, sql, desc } from "drizzle-orm";
      const users = table("users", { id: integer("id").primaryKey(), name: text("name").notNull() }); const posts = table("posts", { id: integer("id"), author: integer("author").references(() => users.id) });
      export default () => Response.json(new QueryBuilder().select({ name: users.name, posts: sql\`count(*)\` }).from(users).leftJoin(posts, eq(posts.author, users.id)).where(and(eq(users.name, "ada"), gt(users.id, 3))).groupBy(users.name).orderBy(desc(users.name)).limit(5).toSQL());`,
      'drizzle-orm',
    );
    const { sql, params } = (await json(target)) as { sql: string; params: unknown[] };
    expect(params).toEqual(['ada', 3, 5]);
    const expected = 'select users.name, count(*) from users left join posts on posts.author = users.id where (users.name = $1 and users.id > $2) group by users.name order by users.name desc limit $3';
    expect(sql.replaceAll('"', '')).toBe(mark === '$' ? expected : expected.replaceAll(/\$\d/g, mark));
  });

  it('a package that is CommonJS only, with Node\'s modules and a try', async () => {
    const target = await host().deployFiles({
      'index.ts': 'import Store, { version } from "old-store"; const store = new Store({ limit: 2 }); export default async () => { const events: string[] = []; store.on("evict", (key: string) => events.push(key)); store.set("a", 1).set("b", 2).set("c", 3); return Response.json([events, store.id.length, version, await store.get("b")]); };',
      'node_modules/old-store/package.json': '{"name":"old-store","version":"1.2.3","main":"lib"}',
      'node_modules/old-store/lib/index.js': `var EventEmitter = require('events'), util = require('util'), assert = require('assert'); var fast; try { fast = require('fast-native-map'); } catch (e) { fast = Map; }
        function Store(options) { if (!(this instanceof Store)) return new Store(options); EventEmitter.call(this); assert.strictEqual(typeof options.limit, 'number'); this.limit = options.limit; this.map = new fast(); this.id = Buffer.from('id').toString('hex'); }
        util.inherits(Store, EventEmitter); Store.prototype.set = function (k, v) { this.map.set(k, v); if (this.map.size > this.limit) { var first = this.map.keys().next().value; this.map.delete(first); this.emit('evict', first); } return this; };
        Store.prototype.get = util.promisify(function (k, done) { done(null, this.map.get(k)); }); module.exports = Store; module.exports.version = require('../package.json').version;`,
    }, { cpuMs: 5_000 });
    expect(await json(target)).toEqual([['a'], 4, '1.2.3', 2]);
  });
});

describe('what needs more of the runtime', () => {
  it('jose: a token signed, verified, and refused', async () => {
    const target = await deploy(
      `import { SignJWT, jwtVerify, decodeJwt } from "jose"; const key = new TextEncoder().encode("0123456789abcdef0123456789abcdef");
      export default async () => { const token = await new SignJWT({ role: "admin" }).setProtectedHeader({ alg: "HS256" }).setSubject("ada").setIssuedAt(1).setExpirationTime("100y").sign(key); const { payload } = await jwtVerify(token, key);
      const forged = await jwtVerify(token.slice(0, -4) + "AAAA", key).catch((e) => e.code); return Response.json([payload.sub, payload.role, decodeJwt(token).iat, forged, token.split(".").length]); };`,
      'jose',
    );
    expect(await json(target)).toEqual(['ada', 'admin', 1, 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 3]);
  });

  it('graphql-yoga: a query, variables, and an error', async () => {
    const target = await deploy(
      `import { createYoga, createSchema } from "graphql-yoga"; const yoga = createYoga({ graphqlEndpoint: "/graphql", logging: false, schema: createSchema({ typeDefs: "type Query { hello(name: String!): String! fail: Int }", resolvers: { Query: { hello: (_, { name }) => "hi " + name, fail: () => { throw new Error("secret"); } } } }) });
      export default { fetch: (request, env, ctx) => yoga.fetch(request, env, ctx) };`,
      'graphql-yoga', 'graphql',
    );
    const post = (query: object): object => ({ body: JSON.stringify(query), headers: { 'content-type': 'application/json', accept: 'application/json' } });
    expect(await json(target, '/graphql', post({ query: 'query ($n: String!) { hello(name: $n) }', variables: { n: 'ada' } }))).toEqual({ data: { hello: 'hi ada' } });
    expect(await json(target, '/graphql', post({ query: '{ fail }' }))).toMatchObject({ data: { fail: null }, errors: [{ message: 'Unexpected error.', path: ['fail'] }] });
  });

  it('hono/context-storage: AsyncLocalStorage keeps concurrent requests apart', async () => {
    const target = await deploy(
      `import { Hono } from "hono"; import { contextStorage, getContext } from "hono/context-storage"; import { AsyncLocalStorage } from "node:async_hooks"; const own = new AsyncLocalStorage(); const app = new Hono(); app.use(contextStorage());
      const later = async () => { await new Promise((r) => setTimeout(r, 5)); await null; return [getContext().req.query("id"), own.getStore()]; };
      app.get("/", (c) => own.run(c.req.query("id"), async () => { await Promise.resolve(); return c.json(await later()); })); export default app;`,
      'hono',
    );
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => json(target, `/?id=${i}`)));
    expect(answers).toEqual(Array.from({ length: 20 }, (_, i) => [String(i), String(i)]));
  });
});
