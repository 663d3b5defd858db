// The `exports` and `imports` fields of a package.json, as Node resolves them (nodejs.org/api/esm.html, "Resolution and loading algorithm").

/** What a key of one of the fields leads to. */
export type Target =
  /** `./` and a path below the package's folder. */
  | { readonly file: string }
  /** `imports` only: a specifier to be resolved from the package's folder. */
  | { readonly specifier: string }
  /** Not offered: no key matches, no condition applies, or it is null. */
  | { readonly none: true }
  /** The field itself is wrong. */
  | { readonly invalid: string };

const NONE: Target = { none: true };
/** Targets within targets: Node has no limit, and a stack has. */
const MAX_DEPTH = 64;

/**
 * PACKAGE_EXPORTS_RESOLVE.
 *
 * @param subpath  `.` or `./…`
 */
export function resolveExports(exports: unknown, subpath: string, conditions: ReadonlySet<string>): Target {
  const keys = isObject(exports) ? Object.keys(exports) : [];
  const dots = keys.filter((key) => key.startsWith('.')).length;
  if (dots !== 0 && dots !== keys.length) return { invalid: '"exports" has both subpaths and conditions' };
  if (subpath !== '.') return dots === 0 ? NONE : resolveKey(subpath, exports as Record<string, unknown>, false, conditions);
  if (dots === 0) return resolveTarget(exports, null, false, conditions, 0) ?? NONE;
  return Object.hasOwn(exports as object, '.') ? (resolveTarget((exports as Record<string, unknown>)['.'], null, false, conditions, 0) ?? NONE) : NONE;
}

/**
 * PACKAGE_IMPORTS_RESOLVE.
 *
 * @param specifier  begins with `#`
 */
export function resolveImports(imports: unknown, specifier: string, conditions: ReadonlySet<string>): Target {
  if (specifier === '#' || specifier.startsWith('#/') || !isObject(imports)) return NONE;
  return resolveKey(specifier, imports, true, conditions);
}

/** PACKAGE_IMPORTS_EXPORTS_RESOLVE: the key itself, else the most specific pattern. */
function resolveKey(wanted: string, field: Readonly<Record<string, unknown>>, isImports: boolean, conditions: ReadonlySet<string>): Target {
  if (Object.hasOwn(field, wanted) && !wanted.includes('*')) return resolveTarget(field[wanted], null, isImports, conditions, 0) ?? NONE;
  for (const pattern of patternsOf(field)) {
    const [before = '', after = ''] = pattern.split('*');
    if (!wanted.startsWith(before) || wanted === before || !wanted.endsWith(after) || wanted.length < pattern.length) continue;
    return resolveTarget(field[pattern], wanted.slice(before.length, wanted.length - after.length), isImports, conditions, 0) ?? NONE;
  }
  return NONE;
}

const sortedPatterns = new WeakMap<object, readonly string[]>();

/** The field's patterns, the most specific first: sorted once, since some packages have thousands. */
function patternsOf(field: Readonly<Record<string, unknown>>): readonly string[] {
  const known = sortedPatterns.get(field) ?? Object.keys(field).filter((key) => key.split('*').length === 2).toSorted(patternKeyCompare);
  sortedPatterns.set(field, known);
  return known;
}

/** PATTERN_KEY_COMPARE: longer bases first, then longer keys. */
function patternKeyCompare(a: string, b: string): number {
  return b.indexOf('*') - a.indexOf('*') || b.length - a.length;
}

/** PACKAGE_TARGET_RESOLVE. Undefined: no condition applied, so the next one is tried. */
function resolveTarget(target: unknown, match: string | null, isImports: boolean, conditions: ReadonlySet<string>, depth: number): Target | undefined {
  if (depth > MAX_DEPTH) return { invalid: 'its targets are nested too deep' };
  if (typeof target === 'string') return fromText(target, match, isImports);
  if (target === null) return NONE;
  if (Array.isArray(target)) {
    let last: Target | undefined = NONE;
    for (const one of target) {
      last = resolveTarget(one, match, isImports, conditions, depth + 1);
      if (last !== undefined && !('invalid' in last) && !('none' in last)) return last;
    }
    return last;
  }
  if (!isObject(target)) return { invalid: 'a target is neither text, list, object nor null' };
  for (const condition of Object.keys(target)) {
    if (condition !== 'default' && !conditions.has(condition)) continue;
    const found = resolveTarget(target[condition], match, isImports, conditions, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function fromText(target: string, match: string | null, isImports: boolean): Target {
  const filled = match === null ? target : target.replaceAll('*', () => match);
  if (!target.startsWith('./')) {
    if (!isImports || target.startsWith('../') || target.startsWith('/') || target.includes(':') && !target.startsWith('node:')) return { invalid: `target ${JSON.stringify(target)} does not begin with "./"` };
    return { specifier: filled };
  }
  // What a pattern matched may not lead elsewhere either.
  if (leaves(target.slice(2)) || (match !== null && leaves(match))) return { invalid: `target ${JSON.stringify(filled)} leaves the package` };
  return { file: filled };
}

function leaves(path: string): boolean {
  return path.split(/[/\\]/).some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment) || decode(segment) === 'node_modules');
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment).toLowerCase();
  } catch {
    return segment;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
