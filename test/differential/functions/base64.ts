// atob and btoa.
import { report, thrown } from './lib/report.ts';

const texts = ['', 'a', 'ab', 'abc', '\u0000\u00ff', 'hällo'];
const codes = ['', 'YQ==', 'YQ', 'YWI=', 'YWI', 'YWJj', ' Y\tQ =\n= ', 'YR==', '/+8=', 'AA==', '\f\r'];
const refused = ['a', 'YQ=', 'YQ===', '=', '====', 'Y=Q=', '-_-_', 'ü', 'abc\u00a0', 'YWJj='];

export default {
  fetch: async (): Promise<Response> =>
    report({
      'btoa': () => texts.map((text) => btoa(text)),
      'btoa refuses': () => ['€', '\u0100', '😀'].map((text) => thrown(() => btoa(text))),
      'atob': () => codes.map((code) => [...atob(code)].map((c) => c.charCodeAt(0))),
      'atob refuses': () => refused.map((code) => thrown(() => atob(code))),
      'other values': () => [btoa(12 as unknown as string), btoa(null as unknown as string), atob(null as unknown as string).length, thrown(() => (btoa as unknown as () => void)()), thrown(() => (atob as unknown as () => void)())],
      'round trip': () => {
        const all = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
        return atob(btoa(all)) === all;
      },
    }),
};
