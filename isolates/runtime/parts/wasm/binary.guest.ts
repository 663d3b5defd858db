// What a module's binary says of its memories (WebAssembly Core, section 5.5): the JavaScript API does not tell. Only for modules that V8 has accepted.

const PAGE = 65_536;
/** V8's own bound here (--wasm-max-mem-pages): what a memory without a maximum may grow to. */
const MAX_PAGES = 1_024;

const SECTION = { import: 2, memory: 5, export: 7 } as const;
/** Kinds of imports and exports. */
const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;
const FLAG = { maximum: 1, shared: 2 } as const;
/** `(ref ht)` and `(ref null ht)`: a heap type follows. */
const REF = { plain: 0x64, nullable: 0x63 } as const;

/** Memories that the module itself defines. */
export interface ModuleMemories {
  /** Some memory of it, own or imported, is shared. */
  shared: boolean;
  /** Bytes at the start, of all. */
  initialBytes: number;
  /** Number of own memories. */
  count: number;
  /** Bytes of those that nothing exports, at the most that they may grow to. */
  hiddenBytes: number;
  /** Exports that are own memories, by their place in the list of exports. */
  readonly exported: number[];
}

class Reader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.#bytes[this.at++] ?? 0;
  }

  /** LEB128. Values here fit 32 bits; a 64-bit one would only lose high bits that nothing reads. */
  number(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  }

  skipName(): void {
    const length = this.number();
    this.at += length;
  }

  skipType(): void {
    const first = this.byte();
    if (first === REF.plain || first === REF.nullable) this.number();
  }

  limits(): { readonly shared: boolean; readonly initial: number; readonly maximum: number } {
    const flags = this.byte();
    const initial = this.number();
    const maximum = (flags & FLAG.maximum) === 0 ? MAX_PAGES : this.number();
    return { shared: (flags & FLAG.shared) !== 0, initial, maximum: maximum > MAX_PAGES ? MAX_PAGES : maximum };
  }
}

export function memoriesOf(bytes: Uint8Array, length: number): ModuleMemories {
  const found: ModuleMemories = { shared: false, initialBytes: 0, count: 0, hiddenBytes: 0, exported: [] };
  /** Most bytes of each memory, by index. */
  const most: number[] = [];
  let imported = 0;
  // Magic number and version come first.
  const reader = new Reader(bytes, 8);
  while (reader.at < length) {
    const section = reader.byte();
    const size = reader.number();
    const end = reader.at + size;
    if (section === SECTION.import) imported = readImports(reader, found);
    else if (section === SECTION.memory) readMemories(reader, found, most);
    else if (section === SECTION.export) readExports(reader, found, most, imported);
    reader.at = end;
  }
  for (let i = 0; i < most.length; i++) found.hiddenBytes += most[i] as number;
  return found;
}

/** @returns number of imported memories */
function readImports(reader: Reader, found: ModuleMemories): number {
  let memories = 0;
  for (let left = reader.number(); left > 0; left--) {
    reader.skipName();
    reader.skipName();
    switch (reader.byte()) {
      case KIND.function:
        reader.number();
        break;
      case KIND.table:
        reader.skipType();
        reader.limits();
        break;
      case KIND.memory:
        if (reader.limits().shared) found.shared = true;
        memories += 1;
        break;
      case KIND.global:
        reader.skipType();
        reader.byte();
        break;
      default:
        // A tag: its attribute, then its type.
        reader.byte();
        reader.number();
    }
  }
  return memories;
}

function readMemories(reader: Reader, found: ModuleMemories, most: number[]): void {
  found.count = reader.number();
  for (let i = 0; i < found.count; i++) {
    const { shared, initial, maximum } = reader.limits();
    if (shared) found.shared = true;
    found.initialBytes += initial * PAGE;
    most[i] = maximum * PAGE;
  }
}

function readExports(reader: Reader, found: ModuleMemories, most: number[], imported: number): void {
  const count = reader.number();
  let exported = 0;
  for (let place = 0; place < count; place++) {
    reader.skipName();
    const kind = reader.byte();
    const own = reader.number() - imported;
    if (kind !== KIND.memory || own < 0) continue;
    // Under a second name it is the same memory.
    if (most[own] === 0) continue;
    most[own] = 0;
    found.exported[exported] = place;
    exported += 1;
  }
}
