// Stacks of tests as their author reads them: frames of the bundle become places in the uploaded files.
import { TraceMap, originalPositionFor } from '@jridgewell/trace-mapping';

export interface Place {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

/** A larger map is not decoded: it would hold up the control plane. Characters. */
const MAX_MAP_CHARACTERS = 8 * 1_048_576;
const MAX_FRAMES = 50;
/** What is not the author's: the stand-in for vitest, the entry, Node's modules. */
const OURS = /^(?:node_modules\/vitest\/|_*gate\.mjs$|node:)/;

export class Places {
  readonly #filename: string;
  readonly #map: TraceMap | undefined;

  /** @param filename  of the bundle, as stacks name it */
  constructor(filename: string, map: string) {
    this.#filename = filename;
    this.#map = map.length > MAX_MAP_CHARACTERS ? undefined : new TraceMap(map);
  }

  /** The stack with the author's places, without the frames of the test library; and the first place that is the author's. */
  read(stack: string): { readonly stack: string; readonly place: Place } {
    let place: Place = {};
    const lines: string[] = [];
    for (const line of stack.split('\n').slice(0, MAX_FRAMES)) {
      const at = line.lastIndexOf(`${this.#filename}:`);
      const [, row, column] = at < 0 ? [] : (/^:(\d+):(\d+)/.exec(line.slice(at + this.#filename.length)) ?? []);
      if (row === undefined || column === undefined) {
        lines.push(line);
        // Where the runtime has mapped it already.
        const mapped = /\(?([^\s()]+):(\d+):(\d+)\)?$/.exec(line);
        if (place.file === undefined && line.startsWith('    at ') && mapped?.[1] !== undefined && !OURS.test(mapped[1])) place = { file: mapped[1], line: Number(mapped[2]), column: Number(mapped[3]) };
        continue;
      }
      const found = this.#find(Number(row), Number(column));
      if (found?.file === undefined || OURS.test(found.file)) continue;
      if (place.file === undefined) place = found;
      lines.push(`${line.slice(0, at)}${found.file}:${found.line}:${found.column}${line.slice(at + this.#filename.length + row.length + column.length + 2)}`);
    }
    return { stack: lines.join('\n'), place };
  }

  #find(line: number, column: number): Place | undefined {
    if (this.#map === undefined || line < 1 || column < 1) return undefined;
    const { source, line: row, column: at } = originalPositionFor(this.#map, { line, column: column - 1 });
    return source === null ? undefined : { file: source, line: row, column: at + 1 };
  }
}
