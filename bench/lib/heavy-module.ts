// A module that takes long to evaluate: about a megabyte of code that must not be thrown away, and so many milliseconds of work at its top level.

/** Functions of about 500 characters each. */
const FUNCTIONS = 2_000;
const SAMPLE = 2_000_000;

/** What the module does at its top level, `n` times: tables as routers, schemas and templates build them. */
const WORK = `function work(n) {
  const table = new Map(); let x = 42;
  for (let i = 0; i < n; i++) { x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff; if (i % 4000 === 0) table.set('key ' + (x % 5000), { id: i, tags: ['a' + (x & 7), 'b' + (x & 15)] }); }
  return table;
}`;

/** How often the work is done for `ms` milliseconds in this process; V8 runs it alike everywhere. */
export function rounds(ms: number): number {
  // oxlint-disable-next-line typescript/no-implied-eval -- the very text that the module has
  const work = new Function(`${WORK}\nreturn work;`)() as (n: number) => unknown;
  work(SAMPLE);
  let best = Infinity;
  // Each is short enough to run undisturbed now and then on a busy machine.
  for (let i = 0; i < 40; i++) {
    const startedMs = performance.now();
    work(SAMPLE);
    best = Math.min(best, performance.now() - startedMs);
  }
  return Math.round((SAMPLE * ms) / best);
}

/** The module's answer. */
export const HEAVY_BODY = `heavy ${FUNCTIONS}`;

/**
 * Plain JavaScript with a default export that has `fetch`.
 *
 * @param mark  makes the code differ from any other mark's
 */
export function heavyModule(n: number, mark: string): string {
  const bodies = Array.from({ length: FUNCTIONS }, (_, i) => `function f${i}(input, options) {
  const name = input?.name ?? 'unnamed-${i}'; const limit = Number(options?.limit ?? ${i % 97});
  if (name.length > limit + ${i}) return { code: 'too_long_${i}', message: 'the name of item ${i} is longer than ' + limit + ' characters', path: ['items', ${i}, 'name'] };
  const parts = name.split('-').map((part, at) => at % ${(i % 7) + 1} === 0 ? part.toUpperCase() : part.toLowerCase());
  return { code: 'ok_${i}', parts, total: parts.reduce((sum, part) => sum + part.length, ${i}), options: { limit, strict: options?.strict === true } };
}`);
  return `${WORK}
${bodies.join('\n')}
const all = [${bodies.map((_, i) => `f${i}`).join(',')}];
const table = work(${n});
const benchMark = ${JSON.stringify(mark)};
export default { fetch() { return new Response(table.size > 0 && all[7]({ name: 'x' }).code === 'ok_7' ? 'heavy ' + all.length : 'broken ' + benchMark); } };
`;
}
