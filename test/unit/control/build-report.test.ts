// What a build reports: sizes that are those of the output, what the bundle is made of, and warnings at their places, all bounded.
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { Builder, buildReportSchema } from '../../../control/builder/index.ts';
import type { BuildReport } from '../../../control/builder/index.ts';

const builder = new Builder();
afterAll(() => builder.stop());

const report = async (files: Readonly<Record<string, string>>, main = 'index.ts'): Promise<BuildReport> => (await builder.build(files, main)).report;

describe('the report of a build', () => {
  it('has the sizes of what was made', async () => {
    const files = { 'index.ts': "import { greet } from './greet.ts'; export default { fetch: () => new Response(greet('ü')) };", 'greet.ts': 'export const greet = (name: string) => `hello ${name}`;', 'unused.ts': 'export {};' };
    const built = await builder.build(files, 'index.ts');
    expect(buildReportSchema.parse(built.report)).toEqual(built.report);
    const { bytes } = built.report;
    expect(bytes.bundle).toBe(Buffer.byteLength(built.bundle));
    expect(bytes.map).toBe(Buffer.byteLength(built.map));
    expect(bytes.sources).toBe(Buffer.byteLength(Object.values(files).join('')));
    expect(bytes.gzip).toBe(gzipSync(built.bundle, { level: 6 }).length);
    expect(built.report.files).toEqual({ uploaded: 3, bundled: 2 });
    expect(built.report.modules.map(({ path }) => path).toSorted()).toEqual(['greet.ts', 'index.ts']);
    expect(built.report.buildMs).toBe(built.buildMs);
    expect(built.report.packages).toEqual([]);
    expect(built.report.warnings).toEqual([]);
  });

  it('names packages with their versions, each copy apart, and only those that are in the bundle', async () => {
    const { packages } = await report({
      'index.ts': "import { a } from 'a'; import { b } from '@scope/b'; import { c } from 'no-version'; export default { fetch: () => new Response(a + b + c) };",
      'node_modules/a/package.json': '{"name":"a","version":"1.2.3","main":"index.js"}',
      'node_modules/a/index.js': `exports.a = ${JSON.stringify('x'.repeat(500))};`,
      'node_modules/@scope/b/package.json': '{"version":"4.0.0-beta.1","main":"./lib/b.js"}',
      'node_modules/@scope/b/lib/b.js': "exports.b = require('a').a;",
      'node_modules/@scope/b/node_modules/a/package.json': '{"version":"0.9.0"}',
      'node_modules/@scope/b/node_modules/a/index.js': "exports.a = 'old';",
      'node_modules/no-version/package.json': '{"version":7}',
      'node_modules/no-version/index.js': 'exports.c = 1;',
      'node_modules/unused/package.json': '{"version":"1.0.0"}',
      'node_modules/unused/index.js': 'exports.u = 1;',
    });
    expect(packages[0]).toMatchObject({ name: 'a', version: '1.2.3' });
    expect(packages.map(({ name, version }) => `${name}@${version}`).toSorted()).toEqual(['@scope/b@4.0.0-beta.1', 'a@0.9.0', 'a@1.2.3', 'no-version@null']);
    expect(packages.every(({ bytes }) => bytes > 0)).toBe(true);
  });

  it('puts each warning at its line and column, counted in characters from 1', async () => {
    const { warnings } = await report({ 'index.ts': "/* ü */ const list = [];\nif (list == -0) list.push('ü'); typeof list === 'strnig';\nexport default { fetch: () => new Response('') };" });
    expect(warnings.length).toBeGreaterThan(0);
    expect(warnings.find(({ text }) => text.includes('strnig'))).toMatchObject({ file: 'index.ts', line: 2, column: 49 });
  });

  it('is bounded: lists say how much they leave out', async () => {
    const files: Record<string, string> = { 'index.ts': '' };
    for (let i = 0; i < 150; i++) {
      files[`node_modules/p${i}/package.json`] = `{"version":"${'9'.repeat(5_000)}"}`;
      files[`node_modules/p${i}/index.js`] = `exports.x = ${i};`;
      files['index.ts'] += `import { x as x${i} } from 'p${i}'; typeof x${i} === 'strnig';\n`;
    }
    files['index.ts'] += 'export default { fetch: () => new Response(String(x0)) };';
    const made = await report(files);
    expect([made.modules.length, made.packages.length, made.warnings.length]).toEqual([20, 100, 50]);
    expect(made.more.modules).toBe(131);
    expect([made.more.packages, made.more.warnings]).toEqual([50, 100]);
    expect(JSON.stringify(made).length).toBeLessThan(60_000);
  });
});
