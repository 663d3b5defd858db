// The routes of Bun.serve: exact paths first, then parameters, then wildcards, the longest first.
// https://bun.com/docs/runtime/http/routing
import { NativeTypeError, ObjectKeys, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeSplit } from '../../primordials.guest.ts';
import type { Request } from '../../request.guest.ts';
import { isResponse } from '../../response.guest.ts';

type Target = unknown;

interface Route {
  /** Segments of the pattern; a parameter begins with a colon. */
  readonly segments: readonly string[];
  /** It ends in an asterisk: what follows may be anything. */
  readonly wildcard: boolean;
  /** Kind of each segment by rank: exact 0, parameter 1; the end of a wildcard 2. Lower goes first. */
  readonly rank: readonly number[];
  /** By method; '' for every method. */
  readonly targets: Readonly<Record<string, Target>>;
}

export type Routes = readonly Route[];

export interface Match {
  readonly target: Target;
  readonly params: Readonly<Record<string, string>>;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'CONNECT'];

/** Throws a TypeError for a route that is neither a Response, a function nor a map of methods. */
export function compileRoutes(routes: unknown): Routes {
  if (typeof routes !== 'object' || routes === null) return [];
  const compiled: Route[] = [];
  const paths = ObjectKeys(routes);
  for (let i = 0; i < paths.length; i++) {
    const path = paths[i] as string;
    const given = (routes as Record<string, unknown>)[path];
    // `false` leaves the path to fetch, before any broader route.
    const targets: Record<string, Target> = { __proto__: null as never };
    if (given === false || typeof given === 'function' || isResponse(given)) targets[''] = given;
    else if (typeof given === 'object' && given !== null) {
      for (const method of METHODS) {
        const target = (given as Record<string, unknown>)[method];
        if (target !== undefined) targets[method] = target;
      }
    } else throw new NativeTypeError(`the route ${path} is neither a Response nor a function nor an object of methods`);
    compiled[compiled.length] = routeOf(path, targets);
  }
  return compiled.sort((a, b) => before(a.rank, b.rank));
}

function routeOf(path: string, targets: Readonly<Record<string, Target>>): Route {
  if (path[0] !== '/') throw new NativeTypeError(`the route ${path} must begin with a slash`);
  const all = StringPrototypeSplit(StringPrototypeSlice(path, 1), '/');
  const wildcard = all[all.length - 1] === '*';
  const segments = wildcard ? all.slice(0, -1) : all;
  return { segments, wildcard, rank: [...segments.map((segment) => (segment[0] === ':' ? 1 : 0)), ...(wildcard ? [2] : [])], targets };
}

function before(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return b.length - a.length;
}

/** @returns undefined when fetch has to answer */
export function matchRoute(routes: Routes, request: Request): Match | undefined {
  const { url, method } = request;
  const at = StringPrototypeIndexOf(url, '/', StringPrototypeIndexOf(url, '//') + 2);
  const query = StringPrototypeIndexOf(url, '?', at);
  const path = StringPrototypeSplit(StringPrototypeSlice(url, at + 1, query < 0 ? url.length : query), '/');
  for (let i = 0; i < routes.length; i++) {
    const { segments, wildcard, targets } = routes[i] as Route;
    if (wildcard ? path.length <= segments.length : path.length !== segments.length) continue;
    const params: Record<string, string> = {};
    if (!fits(segments, path, params)) continue;
    const target = targets[''] ?? targets[method] ?? (method === 'HEAD' ? targets['GET'] : undefined);
    if (target === undefined) continue;
    return target === false ? undefined : { target, params };
  }
  return undefined;
}

function fits(segments: readonly string[], path: readonly string[], params: Record<string, string>): boolean {
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i] as string;
    const part = path[i] as string;
    if (segment[0] === ':') {
      if (part === '') return false;
      params[StringPrototypeSlice(segment, 1)] = decoded(part);
    } else if (segment !== part) {
      return false;
    }
  }
  return true;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
