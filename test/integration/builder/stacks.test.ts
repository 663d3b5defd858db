// Stacks of bundles in every form, as the user sees them: the author's files, lines and columns.
import { expect, it } from 'vitest';
import { TestHost } from '../../support/isolates-host.ts';

const host = TestHost.shared();

it.each<[string, string, string]>([
  ['a plain bundle', '', ''],
  ['one with a package and an injected name', 'import { twice } from "twice";', 'twice(Buffer.from("x").length);'],
  ['one that is CommonJS in part', 'import old from "old";', 'old();'],
  ['one of Node\'s modules', 'import { inspect } from "node:util";', 'inspect({});'],
])('name the author\'s place in %s', async (_, head, body) => {
  const target = await host().deployFiles(
    {
      'index.ts': `${head}\nimport { check } from "./lib/check.ts";\n\ninterface Unused { a: string }\nexport default async (request: Request): Promise<Response> => {\n  ${body}\n  return check(request.url as string);\n};`,
      'lib/check.ts': 'type T = string;\n\nexport function check(url: T): never {\n  throw new RangeError(`not this: ${url.length}`);\n}',
      'node_modules/twice/package.json': '{"type":"module","main":"i.js"}', 'node_modules/twice/i.js': 'export const twice = (n) => n * 2;',
      'node_modules/old/index.js': 'module.exports = function () {};',
    },
    { debug: true, cpuMs: 5_000 },
  );
  const { code, detail } = await host().call(target);
  expect(code).toBe('function_threw');
  expect(detail?.split('\n').filter((line) => line.trim().startsWith('at ')).slice(0, 2)).toEqual([expect.stringContaining('lib/check.ts:4:9'), expect.stringContaining('index.ts:7:10')]);
});
