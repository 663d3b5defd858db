// What a package.json of the upload says to a bundler.

export interface Package {
  /** Folder of its package.json. */
  readonly folder: string;
  readonly name: string | undefined;
  /** `type` is "module": its .js files are modules. */
  readonly isModule: boolean;
  readonly main: string | undefined;
  readonly module: string | undefined;
  /** The `browser` field: another main file, or replacements by path or specifier (false: an empty module). */
  readonly browser: string | ReadonlyMap<string, string | false> | undefined;
  readonly exports: unknown;
  readonly imports: unknown;
  /** Whether the file (path below the folder) does something when it is only evaluated. */
  readonly hasSideEffects: (file: string) => boolean;
}

/** Larger ones are no packages' but attempts to keep the builder busy (drizzle-orm's, with 3,000 entries, has 179 KB). */
const MAX_CHARACTERS = 1_048_576;

/** A text that is no JSON object counts as an empty one, as in esbuild: the package may work without. */
export function parsePackage(folder: string, text: string): Package {
  const json = parse(text);
  const field = (name: string): unknown => (Object.hasOwn(json, name) ? json[name] : undefined);
  const text_ = (name: string): string | undefined => {
    const value = field(name);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  return {
    folder,
    name: text_('name'),
    isModule: field('type') === 'module',
    main: text_('main'),
    module: text_('module'),
    browser: browserField(field('browser')),
    exports: field('exports') ?? undefined,
    imports: field('imports') ?? undefined,
    hasSideEffects: sideEffectsField(field('sideEffects')),
  };
}

function parse(text: string): Record<string, unknown> {
  if (text.length > MAX_CHARACTERS) return {};
  try {
    const json: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function browserField(value: unknown): Package['browser'] {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const known = Object.entries(value).filter((entry): entry is [string, string | false] => typeof entry[1] === 'string' || entry[1] === false);
  // Keys of files are looked up as `./path`.
  return new Map(known.map(([key, to]) => [/^\.{1,2}\//.test(key) ? `./${key.replace(/^(?:\.\/)+/, '')}` : key, to]));
}

function sideEffectsField(value: unknown): (file: string) => boolean {
  if (value === false) return () => false;
  if (!Array.isArray(value) || value.length > MAX_GLOBS || value.some((glob) => typeof glob === 'string' && glob.length > MAX_GLOB_CHARACTERS)) return () => true;
  const globs = value.filter((one) => typeof one === 'string').map((glob) => (glob.includes('/') ? glob.replace(/^\.?\//, '') : `**/${glob}`).split('/'));
  return (file) => globs.some((glob) => matches(glob, file.split('/'), '**', matchesName));
}

/** More are not looked at: every file then counts as having side effects, which is always safe. */
const MAX_GLOBS = 64;
const MAX_GLOB_CHARACTERS = 512;

/** Braces and the like are not understood, so they match everything, which is safe, too. */
function matchesName(glob: string, name: string): boolean {
  return /[{}[\]()!]/.test(glob) || matches(glob.split(''), name.split(''), '*', (one, character) => one === '?' || one === character);
}

/** Whether `items` are what `pattern` describes, `any` standing for any number of them. Takes pattern times items steps at most, whatever a package writes. */
function matches(pattern: readonly string[], items: readonly string[], any: string, fits: (one: string, item: string) => boolean): boolean {
  let [p, i, lastAny, resumeAt] = [0, 0, -1, 0];
  while (i < items.length) {
    if (pattern[p] === any) [lastAny, resumeAt, p] = [p, i, p + 1];
    else if (p < pattern.length && fits(pattern[p] as string, items[i] as string)) [p, i] = [p + 1, i + 1];
    else if (lastAny < 0) return false;
    else [p, i, resumeAt] = [lastAny + 1, resumeAt + 1, resumeAt + 1];
  }
  while (pattern[p] === any) p += 1;
  return p === pattern.length;
}
