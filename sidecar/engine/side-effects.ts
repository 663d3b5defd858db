// What a shadow may have done outside: the one place that decides it, for every client. Its caller has had its answer from another version already,
// so that whatever it changed would be changed twice.

/** Methods that are defined to change nothing (RFC 9110 section 9.2.1) and that functions may call. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Methods come from functions. */
const MAX_SHOWN = 32;

/** Behind the names of tenant and function that a shadow's calls count, and cache, under: no name of either may have a tilde. */
const MARK = '~shadow';

/** What a shadow's calls are counted for and what its caches are found under: nothing of it is its function's own. */
export function shadowName(name: string): string {
  return name + MARK;
}

/**
 * Whether a call of a shadow is refused with `shadow_refused`. A client that is not named here is refused whole: whoever adds one decides here what reads.
 *
 * @param head  as in the call's frame
 * @returns what it wanted, or undefined: it may go on
 */
export function refusedToShadow(client: string, operation: string, head: string): string | undefined {
  switch (client) {
    case 'http': {
      const method = head.slice(0, Math.max(0, head.indexOf('\n')));
      return SAFE_METHODS.has(method) ? undefined : `a call with the method ${method.slice(0, MAX_SHOWN)}`;
    }
    case 'cache':
      // Under a name of its own: what it puts is found by it alone.
      return undefined;
    default:
      return `${client}.${operation}`;
  }
}
