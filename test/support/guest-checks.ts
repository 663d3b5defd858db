// Named checks that run inside an isolate: one function's source holds them, and answers what became of each.
import { expect } from 'vitest';
import type { Target } from '../../core/protocol/index.ts';
import type { InvokeOptions, TestHost } from './isolates-host.ts';

const PRELUDE = String.raw`
const checks = [];
const check = (name, run) => checks.push([name, run]);
const show = (value) => JSON.stringify(value, (_, v) => (v === undefined ? 'undefined' : typeof v === 'bigint' || Number.isNaN(v) ? String(v) : v instanceof Uint8Array ? [...v] : v));
const eq = (actual, expected, what = '') => { if (show(actual) !== show(expected)) throw new Error(what + ' ' + show(actual) + ' is not ' + show(expected)); };
const ok = (condition, what = 'it does not hold') => { if (condition !== true) throw new Error(what); };
const nameOf = (thrown) => (thrown instanceof Error ? thrown.name : show(thrown));
const throwsWith = (name, run, what = '') => {
  try { run(); } catch (thrown) { eq(nameOf(thrown), name, what); return thrown; }
  throw new Error(what + ' nothing was thrown');
};
const rejectsWith = async (name, run, what = '') => {
  let promise;
  try { promise = run(); } catch (thrown) { throw new Error(what + ' threw at once: ' + thrown); }
  try { await promise; } catch (thrown) { eq(nameOf(thrown), name, what); return thrown; }
  throw new Error(what + ' did not reject');
};
const readAll = async (stream) => { const parts = []; for await (const chunk of stream) parts.push(...chunk); return new Uint8Array(parts); };
const utf8 = (text) => new TextEncoder().encode(text);
`;

const HANDLER = `
export default { async fetch(request, env, ctx) {
  const results = {};
  for (const [name, run] of checks) {
    const late = Promise.withResolvers();
    const timer = setTimeout(() => late.reject(new Error('took longer than 4 s')), 4_000);
    try { await Promise.race([run(request, env, ctx), late.promise]); results[name] = 'ok'; } catch (thrown) { results[name] = String(thrown && thrown.stack || thrown).slice(0, 400); }
    clearTimeout(timer);
  }
  return Response.json(results);
} };`;

/** Runs the checks (`check(name, async (request) => { … })`) and expects every one of them to hold. */
export async function expectChecks(host: TestHost, source: string, settings: Partial<Target> = {}, options: InvokeOptions = {}): Promise<void> {
  const target = await host.deploy(`${PRELUDE}${source}${HANDLER}`, { cpuMs: 2_000, ...settings });
  const answer = await host.call(target, options);
  expect([answer.code, answer.detail]).toEqual([null, null]);
  const results = JSON.parse(answer.body.toString()) as Record<string, string>;
  expect(Object.keys(results).length).toBeGreaterThan(0);
  expect(Object.fromEntries(Object.entries(results).filter(([, result]) => result !== 'ok'))).toEqual({});
}
