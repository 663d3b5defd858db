// Named checks inside a function: one deployment that runs them all, and what each of them gave.
import type { TestHost } from './isolates-host.ts';

const HELPERS = `const results = {};
    const tagOf = (e) => '!' + (e instanceof DOMException ? e.name : e?.name ?? String(e)) + (typeof e?.code === 'string' ? ' ' + e.code : '');
    const check = async (name, run) => { if (name in results) throw new Error('twice: ' + name); results[name] = null; try { const value = await run(); results[name] = value === undefined ? 'undefined' : value; } catch (e) { results[name] = tagOf(e); } };
    const error = async (run) => { try { await run(); return 'none'; } catch (e) { return tagOf(e).slice(1); } };
    const hex = (b) => Array.from(b instanceof ArrayBuffer ? new Uint8Array(b) : new Uint8Array(b.buffer, b.byteOffset, b.byteLength), (v) => v.toString(16).padStart(2, '0')).join('');
    const unhex = (t) => Uint8Array.from(t.match(/../g) ?? [], (v) => parseInt(v, 16));
    const s = crypto.subtle;`;

/** The same checks in this process: what Node's own implementation says. */
export async function runHere(body: string, input: unknown = null): Promise<Record<string, unknown>> {
  const AsyncFunction = (async () => {}).constructor as new (...names: string[]) => (...values: unknown[]) => Promise<unknown>;
  const text = await new AsyncFunction('input', `${HELPERS} ${body}\n return JSON.stringify(results);`)(input);
  return JSON.parse(text as string) as Record<string, unknown>;
}

/** Source of a function whose `check(name, run)` calls end up in its answer: a JSON value, or `!Name` of what was thrown. `crypto`, `s` (subtle) and `hex` are at hand. */
export function checksSource(body: string): string {
  return `${HELPERS}
    export default { async fetch(request) { const input = request.method === 'POST' ? await request.json() : null; ${body}
      return Response.json(results); } };`;
}

/** Deploys and runs it. */
export async function runChecks(host: TestHost, body: string, input?: unknown, settings: { cpuMs?: number; memoryMb?: number } = {}): Promise<Record<string, unknown>> {
  const target = await host.deploy(checksSource(body), { debug: true, cpuMs: 20_000, ...settings });
  const answer = await host.call(target, input === undefined ? {} : { body: JSON.stringify(input) });
  if (answer.code !== null) throw new Error(`${answer.code}: ${answer.detail ?? ''} ${JSON.stringify(answer.params)}\n${host.output.join('')}`);
  return JSON.parse(answer.body.toString()) as Record<string, unknown>;
}
