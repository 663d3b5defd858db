// Node's modules inside real isolates, against Node itself; and names of other runtimes as the runtime gives them.
import { describe, expect, it } from 'vitest';
import { TestHost } from '../../support/isolates-host.ts';
import { SAME, inNode } from '../../support/node-module-cases.ts';

const host = TestHost.shared();

async function answer(files: Readonly<Record<string, string>>, env: Record<string, string> = {}): Promise<unknown> {
  const target = await host().deployFiles(files, { cpuMs: 5_000, env });
  const { code, detail, body } = await host().call(target);
  return code === null ? (JSON.parse(body.toString()) as unknown) : `${code} ${detail} ${host().logs.at(-1)?.message}`;
}

describe('a function', () => {
  it.each(SAME)('has node:%s as Node has it', async (_, source) => {
    const index = 'import run from "./case.js"; export default async () => Response.json((await run()) ?? null);';
    expect(await answer({ 'index.ts': index, 'case.js': source })).toEqual(await inNode(source));
  });

  it('reads its environment by every name that other runtimes have for it', async () => {
    const source = `import process from "node:process"; import { env } from "process";
      export default { fetch: (_: Request, bound: Record<string, string>) => Response.json([process.env.A, env.A, globalThis.process?.env, import.meta.env.A, import.meta.env.MODE, typeof process.nextTick, bound.A, process.cwd(), process.platform, typeof process.versions?.node]) };`;
    expect(await answer({ 'index.ts': source }, { A: 'a' })).toEqual(['a', 'a', null, 'a', 'production', 'function', 'a', '/', 'linux', expect.any(String)]);
  });

  it('may await at its top level', async () => {
    const source = 'const config = await Promise.resolve({ n: 1 }); const { value } = await import("./lib.ts"); export default { fetch: () => Response.json([config.n, value]) };';
    expect(await answer({ 'index.ts': source, 'lib.ts': 'export const value = await new Promise((resolve) => queueMicrotask(() => resolve(2)));' })).toEqual([1, 2]);
  });

  it('throws clearly where a package comes to what it cannot have', async () => {
    const files = { 'index.ts': 'import read from "reads"; export default () => { try { return Response.json(read()); } catch (error) { return Response.json([error.message, error.code]); } };', 'node_modules/reads/index.js': 'const fs = require("fs"); module.exports = () => fs.readFileSync("/etc/passwd", "utf8");' };
    expect(await answer(files)).toEqual([expect.stringContaining('Cannot import "fs"'), 'ERR_UNKNOWN_BUILTIN_MODULE']);
  });
});
