// Finds a name that an object of a JSON text has twice: JSON.parse keeps the last one, so a check before it may have seen another value than what is stored.
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Path of the first name that is given twice in its object, or undefined. Texts are skipped by `indexOf`, so that large files cost little.
 *
 * @param text  what JSON.parse has taken: this finds its way by that
 * @see RFC 8259, section 4: what software does with such names is unpredictable
 */
export function duplicateKey(text: string): readonly PropertyKey[] | undefined {
  /** Names of each open object; null: an array. */
  const open: (Set<string> | null)[] = [];
  /** Name or index of the member that is read, for each of them. */
  const path: PropertyKey[] = [];
  let expectsName = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfText(text, at);
        const names = open.at(-1);
        if (expectsName && names !== null && names !== undefined) {
          const raw = text.slice(at, end + 1);
          const name = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
          path[path.length - 1] = name;
          if (names.has(name)) return path;
          names.add(name);
          expectsName = false;
        }
        at = end;
        break;
      }
      case 0x7b: // {
        open.push(new Set());
        path.push('');
        expectsName = true;
        break;
      case 0x5b: // [
        open.push(null);
        path.push(0);
        expectsName = false;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        path.pop();
        expectsName = false;
        break;
      case 0x2c: // ,
        if (open.at(-1) === null) path[path.length - 1] = (path.at(-1) as number) + 1;
        else expectsName = true;
        break;
      default:
    }
  }
  return undefined;
}

/** Index of the quote that ends the text which begins at `start`. */
function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((end - before) % 2 === 1) return end;
  }
  return text.length;
}
