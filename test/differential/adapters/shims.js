// Stand-ins for the servers that a runtime lacks: each keeps the handler that a function registers while its module is evaluated.

/** The handler registered last, as `(request, env, ctx) => Response`. */
export const registered = { handler: undefined };

const environment = () => globalThis.__differentialEnvironment ?? {};

/** `Deno.serve` in each of its forms; `Deno.env.get`. */
export function shimDeno() {
  globalThis.Deno ??= {
    serve(first, second) {
      const handler = [first, second].find((one) => typeof one === 'function') ?? first.handler;
      registered.handler = (request) => handler(request, { remoteAddr: { transport: 'tcp', hostname: '127.0.0.1', port: 0 } });
      return {};
    },
    env: { get: (name) => environment()[name], toObject: () => ({ ...environment() }), has: (name) => name in environment() },
  };
}

/** `Bun.serve` with `fetch` and with `routes` of exact paths and `:parameters`. */
export function shimBun() {
  globalThis.Bun ??= {
    serve(options) {
      const { routes = {} } = options;
      const table = Object.entries(routes).map(([path, route]) => ({ pattern: new RegExp(`^${path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)').replace(/\*$/, '.*')}$`), route }));
      registered.handler = (request) => {
        const { pathname } = new URL(request.url);
        for (const { pattern, route } of table) {
          const match = pattern.exec(pathname);
          if (match === null) continue;
          const found = typeof route === 'function' || route instanceof Response ? route : route[request.method];
          if (found === undefined) continue;
          if (found instanceof Response) return new Response(found.clone().body, found);
          Object.defineProperty(request, 'params', { value: { ...match.groups } });
          return found(request);
        }
        return options.fetch === undefined ? new Response(null, { status: 404 }) : options.fetch(request);
      };
      return {};
    },
    env: environment(),
  };
}

/** `addEventListener("fetch")`; other events go to the runtime's own. */
export function shimListener() {
  const own = globalThis.addEventListener?.bind(globalThis);
  globalThis.addEventListener = (type, listener, options) => {
    if (type !== 'fetch') return own?.(type, listener, options);
    registered.handler = (request, env, ctx) =>
      new Promise((resolve, reject) => {
        let answered = false;
        listener({
          type, request,
          respondWith(response) {
            answered = true;
            Promise.resolve(response).then(resolve, reject);
          },
          waitUntil: (work) => ctx.waitUntil(work),
        });
        if (!answered) reject(new TypeError('nobody answered'));
      });
  };
}

/** What a module offers: its registered server, a default function, or a default object with `fetch`. */
export function handlerOf(module) {
  const { handler } = registered;
  registered.handler = undefined;
  if (handler !== undefined) return handler;
  const main = module.default;
  return typeof main === 'function' ? main : (request, env, ctx) => main.fetch(request, env, ctx);
}
