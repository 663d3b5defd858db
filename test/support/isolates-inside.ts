// Runs a function body inside an isolate and gives its JSON result: the way to ask the platform what it does.
import type { LogLine, TestHost } from './isolates-host.ts';
import type { Target } from '../../core/protocol/index.ts';

const HELPERS = `
  const thrown = (run) => { try { run(); return null; } catch (e) { return e?.name ?? String(e); } };
  const rejected = async (run) => { try { await run(); return null; } catch (e) { return e?.name ?? String(e); } };
  const later = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));
`;

/** @param top  code of the module's top level */
export async function inside(host: TestHost, body: string, options: { top?: string; settings?: Partial<Target> } = {}): Promise<unknown> {
  const source = `${HELPERS}${options.top ?? ''}
    export default { async fetch(request, env, ctx) { return Response.json(await (async () => { ${body} })() ?? null); } };`;
  const answer = await host.call(await host.deploy(source, { debug: true, cpuMs: 1_000, ...options.settings }));
  if (answer.code !== null) throw new Error(`${answer.code}: ${answer.detail}`);
  return JSON.parse(answer.body.toString());
}

/** Waits for the log line that holds `text`. Lines come a moment after the answer. */
export async function logged(host: TestHost, text: string, timeoutMs = 3_000): Promise<LogLine> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const line = host.logs.find((l) => l.message.includes(text));
    if (line !== undefined) return line;
    if (performance.now() > end) throw new Error(`no log line with ${JSON.stringify(text)} among ${JSON.stringify(host.logs.slice(-20))}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
