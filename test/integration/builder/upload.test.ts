// Uploads with packages over the REST API: their size, their errors, and their copies.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useControl } from '../../support/control-plane.ts';

const MODULES = join(import.meta.dirname, '..', '..', '..', 'node_modules');

/** Every file of an installed package, types, maps and texts too. */
function everyFile(name: string): Record<string, string> {
  const entries = readdirSync(join(MODULES, name), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(entries.map((path) => [`node_modules/${path.slice(MODULES.length + 1)}`, readFileSync(path, 'utf8')]));
}

describe('an upload', () => {
  it('may hold a whole package of thousands of files, and be copied', async () => {
    const { call } = await useControl();
    await call('PUT', '/v1/functions/dates');
    const files = { 'index.ts': 'import { addDays } from "date-fns"; export default () => new Response(addDays(0, 1).toISOString());', ...everyFile('date-fns') };
    expect(Object.keys(files).length).toBeGreaterThan(5_000);
    const made = await call('POST', '/v1/functions/dates/versions', { files, main: 'index.ts' });
    expect(made.status).toBe(201);
    expect(made.body['bytes']).toBeLessThan(10_000);
    const copied = await call('POST', '/v1/functions/dates/versions', { from: 1 });
    expect(copied.body).toMatchObject({ version: 2, digest: made.body['digest'] });
  });

  it('that imports what functions cannot have is refused by name and place', async () => {
    const { call } = await useControl();
    await call('PUT', '/v1/functions/files');
    const refused = await call('POST', '/v1/functions/files/versions', { files: { 'index.ts': 'export default 1;\nimport { readFile } from "node:fs/promises";\nreadFile("x");' }, main: 'index.ts' });
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ code: 'build_failed', errors: [{ file: 'index.ts', line: 2, column: 26, text: expect.stringContaining('"node:fs/promises"') as string }] });
    expect((await call('GET', '/v1/functions/files/versions')).body).toMatchObject({ items: [] });
  });
});
