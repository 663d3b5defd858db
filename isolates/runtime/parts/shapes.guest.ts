// Finds the handler of a module that is not plainly a fetch handler: servers, classes, business functions, adapters.
import { Failure } from '../invocation.guest.ts';
import type { Handler } from '../invocation.guest.ts';
import { loaded } from '../module.guest.ts';
import { loadPart } from '../parts.guest.ts';
import { NativeTypeError, reflectApply, reflectConstruct } from '../primordials.guest.ts';
import { exportedNames, handlerExport, mainExport } from './shapes/exports.guest.ts';
import type { AnyFunction } from './shapes/exports.guest.ts';

interface BunPart { serve(options: unknown): unknown }
interface AdapterPart { adapt(handler: AnyFunction): Handler }
interface BusinessPart { businessHandler: Handler }

/** What each shape looks for, as the message of a module that has none of it says it. */
const LOOKED_FOR: Readonly<Record<string, string>> = {
  fetch: 'a default export that is a function or has fetch, scheduled or queue, or a server of Deno.serve, Bun.serve or addEventListener("fetch")',
  business: 'exported functions: export async function name(ctx, ...args)',
  lambda: 'an exported function "handler", or a default export that is a function',
  fc: 'an exported function "handler", or a default export that is a function',
  midway: 'an exported function "handler", or a default export that is a function',
};

/** The handler of requests. Throws a TypeError that says what was looked for. */
export function handlerOf(): Handler {
  const { shape } = loaded;
  const found = shape === 'auto' ? (fetchShape() ?? businessShape()) : shape === 'fetch' ? fetchShape() : shape === 'business' ? businessShape() : adapted(shape);
  if (found !== undefined) return found;
  const what = shape === 'auto' ? `${LOOKED_FOR['fetch']}; or ${LOOKED_FOR['business']}` : (LOOKED_FOR[shape] ?? 'nothing: the shape is unknown');
  throw new NativeTypeError(`the module has no handler of the shape "${shape}"; looked for ${what}`);
}

function fetchShape(): Handler | undefined {
  const main = mainExport();
  if ((typeof main === 'object' || typeof main === 'function') && main !== null) {
    const { fetch, routes, scheduled, queue, prototype } = main as Record<string, unknown>;
    // As Bun starts a server for a default export of this form.
    if (typeof main === 'object' && (routes !== undefined || typeof fetch === 'function')) {
      loadPart<BunPart>('bun').serve(main);
      return loaded.server;
    }
    if (typeof main === 'function' && typeof (prototype as Record<string, unknown> | undefined)?.['fetch'] === 'function') return ofClass(main as AnyFunction);
    if (typeof main === 'function') return main as Handler;
    if (loaded.server === undefined && (typeof scheduled === 'function' || typeof queue === 'function')) {
      return () => new Failure('no_route', 'the function has no fetch handler');
    }
  }
  return loaded.server;
}

/** `export default class { fetch(request) {} }`: one instance for each request, made with (ctx, env) as Workers do it. */
function ofClass(Main: AnyFunction): Handler {
  return (request, env, ctx) => {
    const instance = reflectConstruct(Main, [ctx, env]) as { fetch: AnyFunction };
    return reflectApply(instance.fetch, instance, [request, env, ctx]);
  };
}

function businessShape(): Handler | undefined {
  return exportedNames().length === 0 ? undefined : loadPart<BusinessPart>('business').businessHandler;
}

function adapted(shape: string): Handler | undefined {
  if (shape !== 'lambda' && shape !== 'fc' && shape !== 'midway') return undefined;
  const handler = handlerExport();
  return handler === undefined ? undefined : loadPart<AdapterPart>(shape).adapt(handler);
}
