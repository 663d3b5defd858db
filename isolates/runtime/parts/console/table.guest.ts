// console.table (Console standard, section 1.1.7): rows as a box of text.
import { MapPrototypeGet, MapPrototypeSet, NativeMap, ObjectKeys, StringPrototypeSlice, append, reflectGetOwnPropertyDescriptor, uncurryThis } from '../../primordials.guest.ts';
import { inspect } from './inspect.guest.ts';

const ROWS = 100;
const COLUMNS = 20;
const CELL_CHARACTERS = 100;
const INDEX = '(index)';
const VALUES = 'Values';

const MapPrototypeForEach = uncurryThis(Map.prototype.forEach as (this: unknown, callback: (value: unknown, key: unknown) => void) => void);
const SetPrototypeForEach = uncurryThis(Set.prototype.forEach as (this: unknown, callback: (value: unknown) => void) => void);

interface Row {
  readonly index: string;
  readonly cells: Map<string, string>;
}

/** Undefined where the data is no table: it is logged as it is. */
export function table(data: unknown, filter: unknown): string | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  try {
    return draw(rowsOf(data), columnsWanted(filter));
  } catch {
    // A proxy that throws.
    return undefined;
  }
}

function columnsWanted(filter: unknown): string[] | undefined {
  if (!Array.isArray(filter)) return undefined;
  const names: string[] = [];
  for (let i = 0; i < filter.length && i < COLUMNS; i++) append(names, typeof filter[i] === 'string' ? (filter[i] as string) : inspect(filter[i]));
  return names;
}

function rowsOf(data: object): Row[] {
  const rows: Row[] = [];
  const add = (index: string, value: unknown): void => {
    if (rows.length < ROWS) append(rows, { index, cells: cellsOf(value) });
  };
  if (data instanceof Map) {
    let i = 0;
    MapPrototypeForEach(data, (value, key) => {
      if (rows.length >= ROWS) return;
      const cells = new NativeMap<string, string>();
      MapPrototypeSet(cells, 'Key', cell(key));
      MapPrototypeSet(cells, VALUES, cell(value));
      append(rows, { index: `${i++}`, cells });
    });
  } else if (data instanceof Set) {
    let i = 0;
    SetPrototypeForEach(data, (value) => add(`${i++}`, value));
  } else {
    const keys = ObjectKeys(data);
    for (let i = 0; i < keys.length && i < ROWS; i++) add(keys[i] as string, own(data, keys[i] as string));
  }
  return rows;
}

/** Accessors are not called. */
function own(value: object, key: string): unknown {
  return reflectGetOwnPropertyDescriptor(value, key)?.value as unknown;
}

function cellsOf(value: unknown): Map<string, string> {
  const cells = new NativeMap<string, string>();
  if (typeof value !== 'object' || value === null) {
    MapPrototypeSet(cells, VALUES, cell(value));
    return cells;
  }
  const keys = ObjectKeys(value);
  for (let i = 0; i < keys.length && i < COLUMNS; i++) MapPrototypeSet(cells, keys[i], cell(own(value, keys[i] as string)));
  return cells;
}

function cell(value: unknown): string {
  const text = inspect(value);
  return text.length > CELL_CHARACTERS ? `${StringPrototypeSlice(text, 0, CELL_CHARACTERS)}…` : text;
}

/** In the order in which rows bring them up; the values of plain rows come last. */
function columnsOf(rows: readonly Row[]): string[] {
  const seen = new NativeMap<string, boolean>();
  const columns: string[] = [];
  for (let i = 0; i < rows.length; i++) {
    MapPrototypeForEach((rows[i] as Row).cells, (_text, key) => {
      if (key === VALUES || columns.length >= COLUMNS || MapPrototypeGet(seen, key) === true) return;
      MapPrototypeSet(seen, key, true);
      append(columns, key as string);
    });
  }
  for (let i = 0; i < rows.length; i++) {
    if (MapPrototypeGet((rows[i] as Row).cells, VALUES) === undefined) continue;
    append(columns, VALUES);
    break;
  }
  return columns;
}

function draw(rows: readonly Row[], wanted: string[] | undefined): string {
  const columns = wanted ?? columnsOf(rows);
  const lines: string[][] = [];
  const header: string[] = [];
  append(header, INDEX);
  for (let i = 0; i < columns.length; i++) append(header, columns[i] as string);
  append(lines, header);
  for (let i = 0; i < rows.length; i++) {
    const { cells, index } = rows[i] as Row;
    const line: string[] = [];
    append(line, index);
    for (let j = 0; j < columns.length; j++) append(line, (MapPrototypeGet(cells, columns[j]) as string | undefined) ?? '');
    append(lines, line);
  }
  const widths: number[] = [];
  for (let j = 0; j < header.length; j++) {
    let width = 0;
    for (let i = 0; i < lines.length; i++) width = Math.max(width, ((lines[i] as string[])[j] as string).length);
    append(widths, width + 2);
  }
  let out = `${rule(widths, '┌', '┬', '┐')}\n`;
  for (let i = 0; i < lines.length; i++) {
    out += `│${padded(lines[i] as string[], widths)}│\n`;
    if (i === 0) out += `${rule(widths, '├', '┼', '┤')}\n`;
  }
  return out + rule(widths, '└', '┴', '┘');
}

function rule(widths: readonly number[], left: string, middle: string, right: string): string {
  let line = left;
  for (let i = 0; i < widths.length; i++) line += `${i === 0 ? '' : middle}${repeat('─', widths[i] as number)}`;
  return line + right;
}

function padded(texts: readonly string[], widths: readonly number[]): string {
  let line = '';
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i] as string;
    line += `${i === 0 ? '' : '│'} ${text}${repeat(' ', (widths[i] as number) - text.length - 1)}`;
  }
  return line;
}

function repeat(text: string, times: number): string {
  let out = '';
  for (let i = 0; i < times; i++) out += text;
  return out;
}
