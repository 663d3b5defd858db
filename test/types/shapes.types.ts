// Functions of every shape compile with nothing but the package's types; mistakes in them do not.

interface Env {
  readonly GREETING: string;
}

export const whole = {
  async fetch(request, env, ctx) {
    ctx.waitUntil(Promise.resolve(env.GREETING));
    return Response.json({ method: request.method });
  },
  scheduled(controller) {
    const at: number = controller.scheduledTime;
    return at;
  },
  queue(batch) {
    for (const message of batch.messages) {
      if (message.body.id > 0) message.ack();
      else message.retry({ delaySeconds: 5 });
    }
  },
} satisfies Handler<Env, { readonly id: number }>;

export const workers: ExportedHandler<Env> = { fetch: (_request, env) => new Response(env.GREETING) };

export async function greet(ctx: Context<Env>): Promise<string> {
  const missing: BusinessError = Object.assign(new Error('no card'), { status: 404, code: 'card_missing' });
  if (ctx.user === null) throw missing;
  return ctx.env.GREETING;
}

// @ts-expect-error -- a handler answers with a Response
export const text: Handler = { fetch: () => 'text' };
// @ts-expect-error -- there is no such handler
export const unknownHandler: Handler = { email() {} };
export const wrongEnv: Handler<Env> = {
  // @ts-expect-error -- GREETING is a string
  fetch: (_request, env) => new Response(String(env.GREETING satisfies number)),
};

export const plain: FetchHandler = (request, env) => new Response(env['NAME'] ?? request.url);

Deno.serve((request) => new Response(request.url));
Deno.serve({ port: 8_000, onListen: ({ port }) => console.log(port) }, async (_request, info) => new Response(info.remoteAddr.hostname));
Deno.serve({ handler: () => new Response() });
// @ts-expect-error -- a handler is needed
Deno.serve({ port: 1 });
// @ts-expect-error -- there is no file system
Deno.readTextFile;

Bun.serve({ fetch: (request) => new Response(request.url), routes: { '/a/:b': (request) => new Response(request.params['b']), '/c': { GET: () => new Response() }, '/d': new Response() } });
// @ts-expect-error -- nor here
Bun.file('x');

addEventListener('fetch', (event) => event.respondWith(new Response(event.request.url)));
addEventListener('error', (event: ErrorEvent) => console.log(event.message));
// @ts-expect-error -- respondWith takes a Response
addEventListener('fetch', (event) => event.respondWith('text'));

export async function getCard(ctx: Context, id: string, limit = 10): Promise<unknown> {
  ctx.logger.info('card', { id, limit, left: ctx.deadline.remainingMs() });
  const user: string | null = ctx.user;
  // @ts-expect-error -- nothing of HTTP
  ctx.request;
  return fetch(`https://a.test/${id}`, { signal: ctx.signal, headers: { user: user ?? '', traceparent: ctx.trace.traceparent } });
}

export const environment: (string | undefined)[] = [process.env['A'], Deno.env.get('A'), Bun.env['A']];
export const mode: string | boolean | undefined = import.meta.env['MODE'];
// @ts-expect-error -- the environment can't be changed from inside
process.env['A'] = 'b';
// @ts-expect-error -- no process to end
process.exit(1);
