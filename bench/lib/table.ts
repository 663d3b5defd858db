// Tables on a terminal: numbers to the right, text to the left.

export type Cell = string | number | undefined;

/** Three significant digits below a thousand, whole numbers above. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(3)));
}

const text = (cell: Cell): string => (cell === undefined ? '-' : typeof cell === 'number' ? formatNumber(cell) : cell);

export function formatTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [head, ...rows.map((row) => row.map(text))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const numeric = head.map((_, column) => rows.every((row) => typeof row[column] !== 'string'));
  return lines
    .map((line) => line.map((cell, column) => (numeric[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('  ').trimEnd())
    .join('\n');
}
