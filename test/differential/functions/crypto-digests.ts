// SHA-1 and SHA-2 over known inputs.
import { rejected, report } from './lib/report.ts';

const inputs: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = { empty: new Uint8Array(0), abc: new TextEncoder().encode('abc'), kilo: Uint8Array.from({ length: 1_000 }, (_, i) => i) };

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'].flatMap((name) => Object.entries(inputs).map(([input, bytes]) => [`${name} ${input}`, async () => crypto.subtle.digest(name, bytes)]))),
      'object and case': async () => [await crypto.subtle.digest({ name: 'sha-256' }, new Uint8Array(0))],
      'views': async () => [await crypto.subtle.digest('SHA-1', new DataView(inputs['kilo']!.buffer, 5, 3)), await crypto.subtle.digest('SHA-1', inputs['abc']!.buffer)],
      'unknown': async () => rejected(async () => crypto.subtle.digest('SHA-0', new Uint8Array(0))),
      'refuses text': async () => rejected(async () => crypto.subtle.digest('SHA-1', 'abc' as never)),
      'changes after do not show': async () => {
        const data = Uint8Array.of(97, 98, 99);
        const digest = crypto.subtle.digest('SHA-256', data);
        data.fill(0);
        return digest;
      },
    }),
};
