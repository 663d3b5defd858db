// Stack text for authors: places in the bundle become places in their files, frames of the platform go. The text is a tenant's: it may look like anything.

/** Line and column of the bundle, both from 1. @returns the author's place, or undefined when it is not known */
export type Lookup = (line: number, column: number) => string | undefined;

/** A frame of V8's: `    at NAME (PLACE)` or `    at PLACE`. */
const FRAME = /^\s*at .{1,2000}$/;
/** The runtime's scripts, isolated-vm's mark, and what else is inside of a host process. */
const PLATFORM = /(?:\(|at (?:async )?)(?:thimble:[a-z-]{1,40}:\d{1,9}:\d{1,9}|node:[a-z/_]{1,100}:\d{1,9}:\d{1,9}|file:\/\/[^\s():]{1,500}:\d{1,9}:\d{1,9}|<isolated-vm boundary>)\)?$/;

/** Whether there may be anything to do: most log lines hold no frame. */
export function mayHoldFrames(text: string, filename: string): boolean {
  return text.includes(filename) || text.includes('thimble:') || text.includes('<isolated-vm boundary>') || text.includes('file://');
}

/**
 * @param filename  of the bundle, as it stands in stacks
 * @param lookup  null: places stay as they are
 */
export function rewriteFrames(text: string, filename: string, lookup: Lookup | null): string {
  const lines = text.split('\n');
  const kept: string[] = [];
  for (const line of lines) {
    if (!FRAME.test(line)) kept.push(line);
    else if (!PLATFORM.test(line)) kept.push(lookup === null ? line : mapPlaces(line, filename, lookup));
  }
  return kept.join('\n');
}

const PLACE = /^:(\d{1,9}):(\d{1,9})/;

/** A frame of evaluated code names two places. */
function mapPlaces(line: string, filename: string, lookup: Lookup): string {
  let mapped = '';
  let from = 0;
  for (let at = line.indexOf(filename); at >= 0; at = line.indexOf(filename, from)) {
    const end = at + filename.length;
    const place = PLACE.exec(line.slice(end, end + 22));
    const author = place === null ? undefined : lookup(Number(place[1]), Number(place[2]));
    mapped += author === undefined ? line.slice(from, end) : line.slice(from, at) + author;
    from = author === undefined ? end : end + (place?.[0].length ?? 0);
  }
  return mapped + line.slice(from);
}
