// Headers: what names and values are refused and how values are cut.
import { report, thrown } from './lib/report.ts';

const names = ['', ' ', 'a b', 'a:', 'ü', 'a\n', '(a)', 'a"', "a'", 'a!#$%&*+-.^_`|~0', 'a\u0000'];
const values = [' a ', '\ta\t', 'a\nb', 'a\rb', '\na\r\n', 'a\u0000b', 'ÿ', '\u0100', 'a\tb', '', ' ', 'a\u007fb', 'a\u0001b'];

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(names.map((name) => [`name ${JSON.stringify(name)}`, () => thrown(() => new Headers([[name, 'x']]))])),
      ...Object.fromEntries(values.map((value) => [`value ${JSON.stringify(value)}`, () => new Headers([['a', value]]).get('a')])),
      'get checks the name': () => thrown(() => new Headers().get('a b')),
      'has checks the name': () => thrown(() => new Headers().has('')),
      'delete checks the name': () => thrown(() => new Headers().delete('a\n')),
      'append checks the value': () => thrown(() => new Headers().append('a', 'x\ny')),
      'set checks the value': () => thrown(() => new Headers().set('a', '\u0100')),
      'pairs of three': () => thrown(() => new Headers([['a', 'b', 'c']] as unknown as [string, string][])),
      'pairs of one': () => thrown(() => new Headers([['a']] as unknown as [string, string][])),
      'null': () => thrown(() => new Headers(null as unknown as undefined)),
      'number': () => thrown(() => new Headers(1 as unknown as undefined)),
      'string': () => thrown(() => new Headers('ab' as unknown as undefined)),
      'missing arguments': () => [thrown(() => (new Headers().append as (name: string) => void)('a')), thrown(() => (new Headers().get as unknown as () => void)())],
      'wrong receiver': () => thrown(() => Headers.prototype.get.call({} as Headers, 'a')),
      'many names': () => [...new Headers(Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`x-${i}`, String(i)])))].length,
    }),
};
