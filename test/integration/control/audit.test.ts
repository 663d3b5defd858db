// The audit trail from outside: filters, export and the check of its chain, by the API and by the command.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KEYS } from '../../../control/model/index.ts';
import { openLmdbStore } from '../../../control/store/index.ts';
import { runCommand } from '../../../supervisor/index.ts';
import { HELLO, TOKEN, useControl } from '../../support/control-plane.ts';
import type { ControlUnderTest } from '../../support/control-plane.ts';
import { useTempFolder } from '../../support/control-temp.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** The command in this process: what it says, without the time that a process takes to start. */
async function thimble(...args: readonly string[]): Promise<Ended> {
  let out = '';
  let error = '';
  const code = await runCommand(args, { environment: {}, out: (line) => void (out += `${line}\n`), error: (line) => void (error += `${line}\n`) });
  return { code, out, error };
}

/** `thimble ARGS`, as it is installed. */
function installed(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, 'bin', 'thimble'), ...args], (failed, out, error) => resolve({ code: failed === null ? 0 : Number(failed.code), out, error }));
  });
}

/** All pages of the list. */
async function listed({ call }: ControlUnderTest, query: string, limit = 2): Promise<string[]> {
  const found: string[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await call('GET', `/v1/audit?limit=${limit}${query}${cursor}`);
    found.push(...(body.items ?? []).map((row) => `${String(row['action'])} ${String(row['target'])}`));
    if (typeof body.next !== 'string') return found;
    cursor = `&cursor=${body.next}`;
  }
}

describe('the audit trail', () => {
  it('is filtered by who, what, where and when, page by page', async () => {
    const control = await useControl();
    const { call, deploy } = control;
    const made = await call('POST', '/v1/tokens', { name: 'ci', role: 'deployer', functions: ['card'] });
    await call('PUT', '/v1/functions/card', {}, { token: String(made.body['token']) });
    await deploy('card', HELLO);
    await deploy('card-two', HELLO);
    const between = new Date(Date.now() + 1).toISOString();
    await expect.poll(() => new Date().toISOString() > between).toBe(true);
    await call('PUT', '/v1/functions/card', { debug: true });
    await call('DELETE', '/v1/functions/card-two');
    expect(await listed(control, '')).toHaveLength(7);
    expect(await listed(control, '&actor=ci')).toEqual(['function.create card']);
    expect(await listed(control, `&actor=ci/${String(made.body['id'])}`)).toHaveLength(1);
    expect(await listed(control, '&actor=c')).toEqual([]);
    expect(await listed(control, '&action=function', 1)).toEqual(['function.create card', 'function.create card-two', 'function.change card', 'function.delete card-two']);
    expect(await listed(control, '&action=function.delete')).toEqual(['function.delete card-two']);
    expect(await listed(control, '&target=card')).toEqual(['function.create card', 'version.create card@1', 'function.change card']);
    expect(await listed(control, '&target=card@1')).toEqual(['version.create card@1']);
    expect(await listed(control, `&since=${between}`)).toEqual(['function.change card', 'function.delete card-two']);
    expect(await listed(control, `&until=${between}&target=card-two&action=version`)).toEqual(['version.create card-two@1']);
    for (const bad of ['since=yesterday', 'until=1', 'who=x', 'action=']) expect((await call('GET', `/v1/audit?${bad}`)).status).toBe(422);
  });

  it('is exported as NDJSON that the command verifies, and shows what was changed, taken out, put in or cut off', async () => {
    const control = await useControl();
    for (let i = 0; i < 20; i++) await control.call('PUT', '/v1/functions/card', { env: { N: String(i) } });
    const exported = await control.call('GET', '/v1/audit/export');
    const head = String(exported.headers['x-thimble-audit-head']);
    expect([exported.headers['content-type'], head]).toEqual(['application/x-ndjson', expect.stringMatching(/^20:[0-9a-f]{64}$/)]);
    const lines = exported.text.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { sequence: number }).sequence)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect((await control.call('GET', '/v1/audit/export?target=nobody')).text).toBe('');
    const folder = useTempFolder();
    const file = (name: string, rows: readonly string[]): string => {
      writeFileSync(join(folder, name), rows.map((row) => `${row}\n`).join(''));
      return join(folder, name);
    };
    expect(await thimble('audit', 'verify', file('whole', lines), '--head', head)).toMatchObject({ code: 0, out: `OK: 20 rows hold\nhead ${head}\n` });
    expect(await thimble('audit', 'verify', file('late', lines.slice(5)))).toMatchObject({ code: 0, out: `OK: 15 rows hold, from row 6 on\nhead ${head}\n` });
    const cut = file('cut', lines.slice(0, 18));
    // Nothing in the rest tells that there was more.
    expect((await thimble('audit', 'verify', cut)).code).toBe(0);
    expect(await thimble('audit', 'verify', cut, '--head', head)).toMatchObject({ code: 1, error: expect.stringContaining('its end is cut off') });
    for (const [name, rows, row] of [
      ['changed', lines.with(7, (lines[7] ?? '').replace('"actor":"admin"', '"actor":"someone"')), 8],
      ['taken-out', lines.toSpliced(7, 1), 8],
      ['put-in', lines.toSpliced(7, 0, lines[6] ?? ''), 8],
      ['no-row', lines.with(7, '{}'), 8],
      ['no-json', lines.with(7, '{"sequence"'), 8],
    ] as const) expect([name, await thimble('audit', 'verify', file(name, rows))]).toEqual([name, expect.objectContaining({ code: 1, error: expect.stringContaining(`BROKEN at row ${row} `) })]);
  });

  it('is verified in its store, by the API and by the command, while the node runs and when it does not', async () => {
    const control = await useControl();
    const { call, data } = control;
    for (let i = 0; i < 12; i++) await call('PUT', '/v1/functions/card', { env: { N: String(i) } });
    const whole = (await call('GET', '/v1/audit/verify')).body as unknown as { readonly head: { readonly sequence: number; readonly hash: string } };
    expect(whole).toMatchObject({ ok: true, rows: 12, broken: null, why: null, head: { sequence: 12 } });
    const head = `${whole.head.sequence}:${whole.head.hash}`;
    expect((await call('GET', `/v1/audit/verify?head=${head}`)).body).toMatchObject({ ok: true });
    expect((await call('GET', `/v1/audit/verify?head=5:${whole.head.hash}`)).body).toMatchObject({ ok: false, broken: 5 });
    expect((await call('GET', '/v1/audit/verify?head=x')).status).toBe(422);
    const running = await installed('audit', 'verify', '--data', data, '--head', head);
    expect(running).toMatchObject({ code: 0, out: `OK: 12 rows hold\nhead ${head}\n` });
    await control.stop();
    expect(control.log()).toContain('"auditHead":"0:');
    expect(await thimble('audit', 'verify', '--data', data)).toMatchObject({ code: 0 });
    const copy = join(useTempFolder(), 'data');
    mkdirSync(join(copy, 'control'), { recursive: true });
    copyFileSync(join(data, 'control', 'data.mdb'), join(copy, 'control', 'data.mdb'));
    const store = openLmdbStore(join(copy, 'control'));
    await store.commit([{ key: KEYS.auditRow(12), remove: true }, { key: KEYS.auditRow(11), remove: true }]);
    await store.close();
    expect((await thimble('audit', 'verify', '--data', copy)).code).toBe(0);
    expect(await thimble('audit', 'verify', '--data', copy, '--head', head)).toMatchObject({ code: 1, error: expect.stringContaining('ends before row 12') });
    const again = openLmdbStore(join(copy, 'control'));
    const row = again.get(KEYS.auditRow(4))?.value as Record<string, unknown>;
    await again.commit([{ key: KEYS.auditRow(4), value: { ...row, after: { env: { N: 'forged' } } } }]);
    await again.close();
    const control2 = await useControl(copy);
    expect((await control2.call('GET', '/v1/audit/verify')).body).toMatchObject({ ok: false, rows: 3, broken: 4, why: 'its content does not have its hash' });
  });

  it('is not read by the command when it is called in a wrong way', async () => {
    for (const args of [['audit'], ['audit', 'check'], ['audit', 'verify', '--head', '5'], ['audit', 'verify', 'a', 'b'], ['audit', 'verify', '--data', '/nonexistent/folder'], ['audit', 'verify', '/nonexistent/file'], ['audit', 'verify', '--force']]) {
      const { code, out, error } = await thimble(...args);
      expect([args, code, out]).toEqual([args, 2, '']);
      expect(error).toMatch(/usage|cannot be read/);
    }
  });

  it('is exported as slowly as it is read, with little of it in memory', async () => {
    const { plane, data, stop } = await useControl();
    await stop();
    // As many rows as fill the buffers of a socket many times over: chained by hand, without a thousand requests.
    const store = openLmdbStore(join(data, 'control'));
    const text = 'x'.repeat(10_000);
    const row = { time: new Date().toISOString(), actor: 'a', action: 'function.change', target: 'card', before: null, after: { text }, previous: '', hash: '' };
    for (let i = 0; i < 6; i++) await store.commit(Array.from({ length: 500 }, (_, j) => ({ key: KEYS.auditRow(i * 500 + j + 1), value: { sequence: i * 500 + j + 1, ...row } })));
    await store.close();
    expect(plane.port).toBeGreaterThan(0);
    const again = await useControl(data);
    const before = process.memoryUsage().rss;
    let bytes = 0;
    let ended = false;
    await new Promise<void>((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port: again.plane.port, path: '/v1/audit/export', headers: { authorization: `Bearer ${TOKEN}` }, agent: false }, (incoming) => {
        incoming.once('readable', () => {
          // Nothing is taken for a while: what is made meanwhile must stay where it is.
          setTimeout(() => {
            expect(process.memoryUsage().rss - before).toBeLessThan(24 * 1_048_576);
            incoming.on('data', (chunk: Buffer) => void (bytes += chunk.length));
            incoming.on('end', () => {
              ended = true;
              resolve();
            });
          }, 300);
        });
        incoming.on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
    expect([ended, bytes > 3_000 * 10_000]).toEqual([true, true]);
  });
});
