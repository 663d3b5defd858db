// Many named checks in one function: each is a few lines against a standard, run inside an isolate of a real host.
import type { TestHost } from './isolates-host.ts';

/**
 * What the checks are written with. `check(name, run)` adds one; `equal` compares by structure (undefined, NaN and -0 told apart);
 * `throws(type, run)` and `rejects(type, promise)` take an error's name.
 */
const PRELUDE = String.raw`
  let checks = [];
  const show = (v) => typeof v === 'string' ? JSON.stringify(v) : v === undefined ? 'undefined' : Object.is(v, -0) ? '-0' : typeof v === 'number' || typeof v === 'bigint' || typeof v === 'symbol' ? String(v)
    : v instanceof Error ? v.name + ': ' + v.message : Array.isArray(v) || ArrayBuffer.isView(v) ? '[' + Array.from(v, show).join(',') + ']' : v !== null && typeof v === 'object' ? '{' + Object.keys(v).sort().map((k) => k + ':' + show(v[k])).join(',') + '}' : String(v);
  const equal = (got, wanted) => { if (show(got) !== show(wanted)) throw new Error('got ' + show(got) + ', wanted ' + show(wanted)); };
  const throws = (type, run) => { try { run(); } catch (e) { equal(e.name, type); return e; } throw new Error('did not throw ' + type); };
  const rejects = async (type, promise) => { try { await promise; } catch (e) { equal(e?.name ?? e, type); return e; } throw new Error('did not reject with ' + type); };
  const check = (name, run) => { checks.push([name, run]); };
  // One after the other: some change what all share.
  const runAll = async () => {
    const results = [];
    for (const [name, run] of checks) {
      let late;
      const limit = new Promise((_, reject) => { late = setTimeout(() => reject(new Error('is still waiting')), 2000); });
      try { await Promise.race([(async () => run())(), limit]); results.push([name, null]); } catch (e) { results.push([name, show(e)]); } finally { clearTimeout(late); }
    }
    return results;
  };
  const flushed = () => new Promise((resolve) => setTimeout(resolve, 0));
`;

/** What the checks gave: how many ran, and which do not hold, with the reason. */
export async function runChecks(host: TestHost, checks: string): Promise<{ ran: number; failures: [string, string][] }> {
  const f = await host.deploy(`${PRELUDE} export default { async fetch(req, env, ctx) { checks = []; ${checks}; return Response.json(await runAll()); } };`, { debug: true, cpuMs: 10_000, memoryMb: 256 });
  const answer = await host.call(f);
  if (answer.code !== null) throw new Error(`${answer.code}: ${answer.detail}`);
  const results = JSON.parse(answer.body.toString()) as [string, string | null][];
  return { ran: results.length, failures: results.filter((result): result is [string, string] => result[1] !== null) };
}
