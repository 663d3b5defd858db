// WebAssembly modules for tests, assembled from their sections (WebAssembly Core, chapter 5).

const leb = (n: number): number[] => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...leb(n >>> 7)]);
const name = (text: string): number[] => [...leb(text.length), ...Buffer.from(text)];
const list = (...items: readonly (readonly number[])[]): number[] => [...leb(items.length), ...items.flat()];
const section = (id: number, content: readonly number[]): number[] => [id, ...leb(content.length), ...content];

const I32 = 0x7f;
const FUNCTION = 0;
const MEMORY = 2;

interface Fn {
  readonly name: string;
  /** i32 parameters and results. */
  readonly params: number;
  readonly results: number;
  /** Instructions without the final `end`. */
  readonly code: readonly number[];
}

export interface ModuleOptions {
  readonly functions?: readonly Fn[];
  /** Own memories: pages at the start and at the most. */
  readonly memories?: readonly { readonly initial: number; readonly maximum?: number; readonly shared?: boolean; readonly export?: string }[];
  readonly importMemory?: { readonly initial: number; readonly maximum?: number; readonly shared?: boolean };
  /** Imports `env.NAME`, taking nothing and giving nothing, as function 0. */
  readonly importFunction?: string;
  readonly start?: number;
  /** Bytes of a custom section, to make the module large. */
  readonly padding?: number;
}

const limits = (m: { readonly initial: number; readonly maximum?: number; readonly shared?: boolean }): number[] =>
  m.maximum === undefined ? [0, ...leb(m.initial)] : [m.shared === true ? 3 : 1, ...leb(m.initial), ...leb(m.maximum)];

export function moduleBytes(options: ModuleOptions): Uint8Array {
  const functions = options.functions ?? [];
  const memories = options.memories ?? [];
  const importedFunctions = options.importFunction === undefined ? 0 : 1;
  const importedMemories = options.importMemory === undefined ? 0 : 1;
  const types = [[0x60, 0, 0], ...functions.map((f) => [0x60, ...list(...Array.from({ length: f.params }, () => [I32])), ...list(...Array.from({ length: f.results }, () => [I32]))])];
  const imports = [
    ...(options.importFunction === undefined ? [] : [[...name('env'), ...name(options.importFunction), FUNCTION, 0]]),
    ...(options.importMemory === undefined ? [] : [[...name('env'), ...name('memory'), MEMORY, ...limits(options.importMemory)]]),
  ];
  const exports = [
    ...functions.map((f, i) => [...name(f.name), FUNCTION, ...leb(i + importedFunctions)]),
    ...memories.flatMap((m, i) => (m.export === undefined ? [] : [[...name(m.export), MEMORY, ...leb(i + importedMemories)]])),
  ];
  const bodies = functions.map((f) => [...leb(f.code.length + 2), 0, ...f.code, 0x0b]);
  const head = [
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, list(...types)),
    ...(imports.length === 0 ? [] : section(2, list(...imports))),
    ...section(3, list(...functions.map((_, i) => leb(i + 1)))),
    ...(memories.length === 0 ? [] : section(5, list(...memories.map(limits)))),
    ...section(7, list(...exports)),
    ...(options.start === undefined ? [] : section(8, leb(options.start))),
    ...section(10, list(...bodies)),
  ];
  if (options.padding === undefined) return Uint8Array.from(head);
  const content = [...name('padding')];
  const padded = Buffer.concat([Buffer.from(head), Buffer.from([0, ...leb(content.length + options.padding), ...content]), Buffer.alloc(options.padding)]);
  return new Uint8Array(padded);
}

const GET = (local: number): number[] => [0x20, local];

export const FUNCTIONS = {
  add: { name: 'add', params: 2, results: 1, code: [...GET(0), ...GET(1), 0x6a] },
  /** memory.grow of memory 0: former pages, or -1. */
  grow: { name: 'grow', params: 1, results: 1, code: [...GET(0), 0x40, 0] },
  /** memory.fill from 0: every page becomes resident. */
  fill: { name: 'fill', params: 1, results: 0, code: [0x41, 0, 0x41, 1, ...GET(0), 0xfc, 0x0b, 0] },
  load: { name: 'load', params: 1, results: 1, code: [...GET(0), 0x28, 2, 0] },
  spin: { name: 'spin', params: 0, results: 0, code: [0x03, 0x40, 0x0c, 0, 0x0b] },
  trap: { name: 'trap', params: 0, results: 0, code: [0x00] },
  callImport: { name: 'callImport', params: 0, results: 0, code: [0x10, 0] },
} as const satisfies Record<string, Fn>;

const { add, grow, fill, load, spin, trap } = FUNCTIONS;

/** Ready-made ones. */
export const MODULES = {
  add: moduleBytes({ functions: [add] }),
  empty: moduleBytes({}),
  memory: moduleBytes({ functions: [grow, fill, load], memories: [{ initial: 1, export: 'memory' }] }),
  hidden: moduleBytes({ functions: [grow, fill], memories: [{ initial: 1 }] }),
  small: moduleBytes({ functions: [grow], memories: [{ initial: 1, maximum: 2, export: 'memory' }] }),
  spin: moduleBytes({ functions: [spin] }),
  trap: moduleBytes({ functions: [trap] }),
  trapAtStart: moduleBytes({ functions: [trap], start: 0, memories: [{ initial: 512, export: 'memory' }] }),
  shared: moduleBytes({ memories: [{ initial: 1, maximum: 2, shared: true, export: 'memory' }] }),
  sharedImport: moduleBytes({ importMemory: { initial: 1, maximum: 2, shared: true } }),
  importMemory: moduleBytes({ importMemory: { initial: 1 }, functions: [grow, load] }),
  importFunction: moduleBytes({ importFunction: 'tell', functions: [FUNCTIONS.callImport] }),
} as const;

/** A definition of `NAME` for a function's source: the module's bytes as a Uint8Array. */
export function wasmSource(modules: Readonly<Record<string, Uint8Array>>): string {
  return Object.entries(modules)
    .map(([key, bytes]) => `const ${key} = Uint8Array.from(atob(${JSON.stringify(Buffer.from(bytes).toString('base64'))}), (c) => c.charCodeAt(0));`)
    .join('\n');
}
