// Constants of a module, made once when it is evaluated.
const table = new Map(Array.from({ length: 100 }, (_, i) => [`key ${i}`, i ** 2]));
const pattern = /^key (?<n>\d+)$/;
const frozen = Object.freeze({ made: [...table.keys()].length, encoded: new TextEncoder().encode('at start'), base: new URL('https://a.test/base/') });
const later = Promise.resolve('settled at start');

export default {
  fetch: async (): Promise<Response> => Response.json({
    made: frozen.made, encoded: [...frozen.encoded], url: new URL('child', frozen.base).href, later: await later, last: table.get('key 99'), n: pattern.exec('key 12')?.groups?.['n'],
  }),
};
