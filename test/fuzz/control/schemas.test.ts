// Every field of every body and address of the API, attacked: the attacks are made from the document that the node itself serves, so a new endpoint is attacked too.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FRAME, listenPeers } from '../../../core/protocol/index.ts';
import { filesBelow } from '../../support/control-disk.ts';
import { HELLO } from '../../support/control-plane.ts';
import type { Reply } from '../../support/control-plane.ts';
import { useControlProcess } from '../../support/control-process.ts';
import type { ControlProcess } from '../../support/control-process.ts';
import { useTempFolder } from '../../support/control-temp.ts';
import { Attacks, HOSTILE_FILES } from '../../support/schema-attacks.ts';
import type { Attack, Document } from '../../support/schema-attacks.ts';
import { sample, seed } from '../../support/seed.ts';

const FULL = process.env['THIMBLE_TEST_FULL'] === '1';
const SHORT_FORM = 500;
/** No request may take longer, milliseconds: a machine with other work included. */
const HANG_MS = 20_000;
/** Resident memory that the control plane may ever have had, MiB. It takes bodies of 32 MiB. */
const MAX_RESIDENT_MB = 900;
const VALUES = { name: 'card', tenant: 'team', version: '1' };

/** A gateway that takes every event: what is asked of a function gets an answer at once. */
async function useEventGateway(data: string): Promise<void> {
  const server = await listenPeers(join(data, 'gateway.sock'), { self: { role: 'gateway', name: 'gateway', epoch: 1 }, accepts: ['control'] }, {
    onOpen: () => {},
    onFrame: (frame, connection) => {
      if (frame[0] === FRAME.event) connection.send([FRAME.outcome, frame[1], 200, 1, 'x', 1, 1, '', '{"result":null}']);
      if (frame[0] === FRAME.pardon) connection.send([FRAME.done, frame[1], 0]);
    },
    onClose: () => {},
  });
  onTestFinished(() => void server.close());
}

async function restore({ call }: ControlProcess): Promise<void> {
  const put = await call('PUT', '/v1/functions/card', { tenant: 'default', tier: 'default', limits: {}, env: {}, triggers: [], gates: null });
  if (put.status > 201) throw new Error(`the function could not be put back: ${put.text}`);
  const { lastVersion, traffic } = put.body;
  if (lastVersion === null || traffic === null) await call('POST', '/v1/functions/card/versions', { files: { 'index.ts': HELLO }, main: 'index.ts' });
}

const named = (reply: Reply, path: string): boolean =>
  (reply.body.errors ?? []).some((error) => {
    const given = String(error['path']).replace(/…$/, '');
    // A wrong member may be told by what holds it, and a wrong whole by its member.
    return given === path || path.startsWith(given) || given.startsWith(path) || path === '(body)';
  });

function fault(attack: Attack, reply: Reply): string | undefined {
  const { status, body } = reply;
  // What this stand has not, such as hosts for tests, is not there in a way that has a name.
  if (status === 503 && body.code === 'unavailable') return undefined;
  if (status >= 500) return `answered ${status} ${body.code ?? ''}`;
  if (status >= 400 && body.code === undefined && attack.method !== 'HEAD') return `answered ${status} without a code`;
  if (reply.text.length > 1_000_000) return `answered ${reply.text.length} characters`;
  if (attack.expect === 'anything') return undefined;
  if (status < 400) return `was taken: ${status}`;
  if (attack.expect === 'named' && body.code === 'invalid' && !named(reply, attack.path)) return `does not name ${attack.path}: ${JSON.stringify(body.errors)}`;
  // Bodies that may hold next to nothing are not even read.
  if (attack.expect === 'named' && body.code !== 'invalid' && body.code !== 'body_too_large') return `is ${body.code ?? status}, not invalid`;
  return undefined;
}

async function timed(control: ControlProcess, attack: Attack): Promise<Reply> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${attack.operation}, ${attack.what}: no answer within ${HANG_MS} ms`)), HANG_MS);
  });
  const reply = control.call(attack.method, attack.url, undefined, attack.raw === undefined ? {} : { raw: attack.raw });
  try {
    return await Promise.race([reply, late]);
  } catch (thrown) {
    // Cut off while it still sent what is too large.
    if (!['EPIPE', 'ECONNRESET'].includes((thrown as NodeJS.ErrnoException).code ?? '') || (attack.raw?.length ?? 0) < 1_000_000) throw thrown;
    return { status: 413, headers: {}, text: '', body: { code: 'body_too_large' } };
  } finally {
    clearTimeout(timer);
  }
}

describe('the control API', { timeout: FULL ? 1_800_000 : 120_000 }, () => {
  it(`answers what is hostile with a 4xx that names the field (seed ${seed})`, async () => {
    const folder = useTempFolder();
    const data = join(folder, 'in', 'data');
    mkdirSync(data, { recursive: true });
    writeFileSync(join(folder, 'in', 'canary'), 'canary');
    await useEventGateway(data);
    const control = await useControlProcess(data);
    await restore(control);
    const document = JSON.parse((await control.call('GET', '/openapi.json')).text) as Document;
    // A log that is followed never ends; its other attacks stay.
    const all = new Attacks(document).all(VALUES).filter(({ url }) => !/[?&]follow=(?:true|1)/.test(url));
    expect(all.length).toBeGreaterThan(2_000);
    // Of each operation some, however many fields the others have.
    const operations = Map.groupBy(all, ({ operation }) => operation);
    const chosen = FULL ? all : [...operations.values()].flatMap((ones) => sample(ones, Math.max(8, Math.round((ones.length / all.length) * SHORT_FORM))));
    const faults: string[] = [];
    let before = '';
    for (const attack of chosen) {
      if (attack.operation !== before) await restore(control);
      before = attack.operation;
      // eslint-disable-next-line no-await-in-loop -- one after the other, so that a fault has one cause
      const why = fault(attack, await timed(control, attack));
      if (why !== undefined) faults.push(`${attack.method} ${attack.url.slice(0, 80)} ${attack.what}: ${why}`);
    }
    expect(faults).toEqual([]);
    await restore(control);
    expect((await control.call('GET', '/healthz')).status).toBeLessThan(600);
    expect(control.child.exitCode).toBeNull();
    const status = readFileSync(`/proc/${control.child.pid}/status`, 'utf8');
    expect(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1_024).toBeLessThan(MAX_RESIDENT_MB);
    // Outside of the data folder nothing was written, and inside no name that came from outside.
    expect(filesBelow(folder).filter((path) => !path.startsWith(`${data}/`))).toEqual([join(folder, 'in', 'canary')]);
    expect(filesBelow(data).filter((path) => /\.ts$|passwd|escape/.test(path))).toEqual([]);
  });

  it('bounds texts of 10 MB in every field, and what comes of them in memory', async () => {
    const data = useTempFolder();
    await useEventGateway(data);
    const control = await useControlProcess(data);
    await restore(control);
    const document = JSON.parse((await control.call('GET', '/openapi.json')).text) as Document;
    const big = 'x'.repeat(10_000_000);
    const fields = new Attacks(document).all(VALUES).filter(({ what, raw }) => what.endsWith(': a text') && raw?.includes('"text"') === true);
    for (const attack of FULL ? fields : sample(fields, 5)) {
      const reply = await timed(control, { ...attack, raw: attack.raw?.replace('"text"', () => `"${big}"`) });
      // Files may be that large; nothing else is.
      const isFile = attack.path.startsWith('files');
      expect([attack.operation, attack.path, isFile || (reply.status >= 400 && reply.status < 500)]).toEqual([attack.operation, attack.path, true]);
      expect([attack.operation, attack.path, reply.status >= 500, reply.text.length < 20_000 || isFile]).toEqual([attack.operation, attack.path, false, true]);
    }
    const status = readFileSync(`/proc/${control.child.pid}/status`, 'utf8');
    expect(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1_024).toBeLessThan(MAX_RESIDENT_MB);
    expect((await control.call('GET', '/v1/functions/card')).status).toBe(200);
  });

  it('takes names of Object.prototype for what they are', async () => {
    const control = await useControlProcess(useTempFolder());
    expect((await control.call('GET', '/v1/functions/constructor')).status).toBe(404);
    expect((await control.call('PUT', '/v1/functions/constructor', { env: { constructor: 'c', toString: 't' } })).status).toBe(201);
    const files = { constructor: 'x', 'index.ts': HELLO };
    expect((await control.call('POST', '/v1/functions/constructor/versions', { files, main: 'toString' })).body.errors).toEqual([{ path: 'main', message: 'must name one of files' }]);
    expect((await control.call('POST', '/v1/functions/constructor/versions', { files, main: 'index.ts' })).status).toBe(201);
    expect((await control.call('GET', '/v1/functions/constructor/versions/1')).body).toMatchObject({ files, env: { constructor: 'c', toString: 't' } });
    expect((await control.call('GET', '/v1/functions/valueof/versions')).status).toBe(404);
  });

  it('refuses every file name that could lead outside, by its name', async () => {
    const control = await useControlProcess(useTempFolder());
    await restore(control);
    for (const path of HOSTILE_FILES) {
      const reply = await control.call('POST', '/v1/functions/card/versions', { files: { 'index.ts': HELLO, [path]: 'x' }, main: 'index.ts' });
      expect([path, reply.status, reply.body.code]).toEqual([path, 422, 'invalid']);
      expect(String(reply.body.errors?.[0]?.['path'])).toContain('files');
      for (const body of [{ main: path }, { main: 'index.ts', tests: [path] }]) {
        const other = await control.call('POST', '/v1/functions/card/versions', { files: { 'index.ts': HELLO }, ...body });
        expect([path, other.status, other.body.code]).toEqual([path, 422, 'invalid']);
      }
    }
  });
});
