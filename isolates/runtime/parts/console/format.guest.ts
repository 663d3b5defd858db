// Console standard, section 2.2, "formatter": %s %d %i %f %j %o %O %c %% in the first argument, the rest appended.
import { LINE_CHARACTERS } from '../../console.guest.ts';
import { JSONStringify, NativeNumber, NativeString, StringPrototypeIndexOf, StringPrototypeSlice } from '../../primordials.guest.ts';
import { inspect } from './inspect.guest.ts';

const { parseFloat, parseInt } = NativeNumber;

function show(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value);
}

/** Objects are not converted: that would run their code, and it could throw. */
function number(value: unknown, convert: (value: never) => number): string {
  return typeof value === 'object' || typeof value === 'symbol' || typeof value === 'function' ? 'NaN' : typeof value === 'bigint' ? `${value}n` : `${convert(value as never)}`;
}

function json(value: unknown): string {
  try {
    return JSONStringify(value) ?? 'undefined';
  } catch {
    return '[unserialisable]';
  }
}

/** What a specifier makes of its argument; undefined: it is none. */
function convert(specifier: string, value: unknown): string | undefined {
  switch (specifier) {
    case 's': return typeof value === 'symbol' ? NativeString(value) : show(value);
    case 'd': return number(value, NativeNumber);
    case 'i': return number(value, (v) => parseInt(v, 10));
    case 'f': return number(value, parseFloat);
    case 'j': return json(value);
    case 'o':
    case 'O': return inspect(value);
    case 'c': return '';
    default: return undefined;
  }
}

/** One line, or several: at most LINE_CHARACTERS. Never throws. */
export function format(args: readonly unknown[]): string {
  let text = '';
  let next = 0;
  const first = args[0];
  if (typeof first === 'string' && args.length > 1) {
    next = 1;
    let from = 0;
    for (;;) {
      const at = StringPrototypeIndexOf(first, '%', from);
      if (at < 0 || at === first.length - 1) break;
      text += StringPrototypeSlice(first, from, at);
      const specifier = first[at + 1] as string;
      const converted = specifier === '%' ? '%' : next < args.length ? convert(specifier, args[next]) : undefined;
      if (converted !== undefined && specifier !== '%') next += 1;
      text += converted ?? `%${specifier}`;
      from = at + 2;
    }
    text += StringPrototypeSlice(first, from);
  }
  for (let i = next; i < args.length; i++) text += `${i === 0 ? '' : ' '}${show(args[i])}`;
  return text.length > LINE_CHARACTERS ? `${StringPrototypeSlice(text, 0, LINE_CHARACTERS)}…` : text;
}
