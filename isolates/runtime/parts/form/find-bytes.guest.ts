// Finds a byte sequence in time linear in the input, whatever input and sequence are: both come from clients.
import { Uint8ArrayPrototypeIndexOf } from '../../primordials.guest.ts';

/** Steps without the start of a match after which the native search takes over: a call of it costs about as much. */
const STEPS = 32;

/** Knuth, Morris and Pratt: the length of the longest proper prefix that is a suffix, for each prefix. */
function borders(pattern: Uint8Array): number[] {
  const table: number[] = [0];
  let k = 0;
  for (let i = 1; i < pattern.length; i++) {
    while (k > 0 && pattern[i] !== pattern[k]) k = table[k - 1] as number;
    if (pattern[i] === pattern[k]) k += 1;
    table[i] = k;
  }
  return table;
}

/** @returns a function that gives the index of the next occurrence from `from` on, or -1 */
export function finder(bytes: Uint8Array, pattern: Uint8Array): (from: number) => number {
  const table = borders(pattern);
  const first = pattern[0] as number;
  const { length } = pattern;
  return (from) => {
    let matched = 0;
    let idle = 0;
    for (let i = from; i < bytes.length; i++) {
      const byte = bytes[i];
      while (matched > 0 && byte !== pattern[matched]) matched = table[matched - 1] as number;
      if (byte === pattern[matched]) {
        matched += 1;
        idle = 0;
        if (matched === length) return i - length + 1;
      } else if (++idle === STEPS) {
        idle = 0;
        const next = Uint8ArrayPrototypeIndexOf(bytes, first, i + 1);
        if (next < 0) return -1;
        i = next - 1;
      }
    }
    return -1;
  };
}
