// The control plane killed at random points of mixed operations: what was answered 2xx is there, nothing is half there, the audit trail holds, gateways get the same table.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FRAME, listenPeers } from '../../../core/protocol/index.ts';
import { brokenAuditRow, isWholeOnDisk } from '../../support/control-disk.ts';
import { FakeGateway } from '../../support/control-peers.ts';
import type { Reply } from '../../support/control-plane.ts';
import { useControlProcess } from '../../support/control-process.ts';
import type { ControlProcess } from '../../support/control-process.ts';
import { useTempFolder } from '../../support/control-temp.ts';
import { Attacks } from '../../support/schema-attacks.ts';
import type { Document } from '../../support/schema-attacks.ts';
import { randomOf, seed } from '../../support/seed.ts';

const FULL = process.env['THIMBLE_TEST_FULL'] === '1';
const OPERATIONS = FULL ? 1_000 : 60;
/** Writers at once, each with a function and a tenant of its own: so what each may find after a death is known. */
const WRITERS = 3;
/** Answers of one life on the average; then it has some milliseconds left, so that the death comes in the middle of others. */
const PER_LIFE = 10;
const LAST_MS = 25;

type View = Readonly<Record<string, unknown>> & { readonly lastVersion?: number | null; readonly traffic?: { readonly split: readonly { readonly version: number }[] } | null; readonly env?: Readonly<Record<string, string>> };

interface Operation {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** Whether `after` is what it leaves behind, whole. null: there is no function. */
  readonly done: (before: View | null, after: View | null) => boolean;
}

/** What one writer knows. */
interface Known {
  /** As it was read last. */
  view: View | null;
  /** Answered 2xx, and not read since. */
  answered: Operation | undefined;
  /** Sent, and not answered. */
  sent: Operation | undefined;
}

const source = (text: string): Record<string, string> => ({ 'index.ts': `export default { fetch() { return new Response(${JSON.stringify(text)}); } };` });
/** The revision is the table's: it grows with a tenant's quotas too. */
const bare = (view: View | null): unknown => (view === null ? null : { ...view, revision: 0 });
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const alive = (view: View | null): boolean => view !== null;
const allTo = (view: View | null): number | undefined => (view?.traffic?.split.length === 1 ? view.traffic.split[0]?.version : undefined);

/** The next operation of a writer: whatever makes sense, and now and then something that does not. */
function next(random: () => number, count: number, name: string, view: View | null, others: ReturnType<Attacks['writes']>): Operation {
  const path = `/v1/functions/${name}`;
  const last = view?.lastVersion ?? 0;
  const pick = random();
  const put: Operation = { what: 'put', method: 'PUT', path, body: { env: { N: String(count) }, debug: count % 2 === 0 }, done: (_, after) => after?.env?.['N'] === String(count) && after['debug'] === (count % 2 === 0) };
  if (view === null || pick < 0.2) return put;
  const deployed = (live: boolean) => (before: View | null, after: View | null): boolean => {
    const version = (before?.lastVersion ?? 0) + 1;
    return after?.lastVersion === version && (!live || allTo(after) === version);
  };
  if (pick < 0.45) return { what: 'deploy', method: 'POST', path: `${path}/versions?activate=true`, body: { files: source(`${name} ${count}`), main: 'index.ts' }, done: deployed(true) };
  if (pick < 0.55) {
    // Two commits: between them the version is there and has no traffic.
    return {
      what: 'deploy behind a gate', method: 'POST', path: `${path}/versions?activate=true`, body: { files: source(`${name} gate ${count}`), main: 'index.ts', smoke: [{ path: '/' }] },
      done: (before, after) => deployed(true)(before, after) || (deployed(false)(before, after) && same(before?.traffic, after?.traffic)),
    };
  }
  if (pick < 0.6 && last > 0) return { what: 'copy', method: 'POST', path: `${path}/versions`, body: { from: 1 + Math.floor(random() * last) }, done: deployed(false) };
  if (pick < 0.72 && last > 1) {
    const version = 1 + Math.floor(random() * (last - 1));
    const split = [{ version, weight: 50 }, { version: last, weight: 50 }];
    return { what: 'traffic', method: 'PUT', path: `${path}/traffic`, body: { split, sticky: `header:x-${count}` }, done: (_, after) => same(after?.traffic, { rules: [], split, sticky: `header:x-${count}` }) };
  }
  if (pick < 0.78) return { what: 'rollback', method: 'POST', path: `${path}/rollback`, done: alive };
  if (pick < 0.84) return { what: 'delete', method: 'DELETE', path, done: (_, after) => after === null };
  if (pick < 0.9) return { what: 'tenant', method: 'PUT', path: `/v1/tenants/${name}`, body: { quotas: { rps: count } }, done: (before, after) => same(bare(before), bare(after)) };
  const other = others[Math.floor(random() * others.length)];
  if (other === undefined) return put;
  return { what: other.operation, method: other.method, path: other.path(name), body: other.body, done: () => true };
}

async function read({ call }: ControlProcess, name: string): Promise<View | null> {
  const reply = await call('GET', `/v1/functions/${name}`);
  if (reply.status === 404) return null;
  expect(reply.status).toBe(200);
  return reply.body;
}

async function useEventGateway(data: string): Promise<void> {
  const answer = JSON.stringify({ status: 200, headers: [], body: '' });
  const server = await listenPeers(join(data, 'gateway.sock'), { self: { role: 'gateway', name: 'gateway', epoch: 1 }, accepts: ['control'] }, {
    onOpen: () => {},
    onFrame: (frame, connection) => {
      if (frame[0] === FRAME.event) setTimeout(() => connection.send([FRAME.outcome, frame[1], 200, 1, 'x', 1, 1, '', answer]), 3);
    },
    onClose: () => {},
  });
  onTestFinished(() => void server.close());
}

describe('the control plane, killed', { timeout: FULL ? 1_800_000 : 150_000 }, () => {
  it(`at random points of ${OPERATIONS} mixed operations keeps every word that it gave (seed ${seed})`, async () => {
    const random = randomOf(seed);
    const data = useTempFolder();
    await useEventGateway(data);
    const names = Array.from({ length: WRITERS }, (_, i) => `card${i}`);
    const known = new Map<string, Known>(names.map((name) => [name, { view: null, answered: undefined, sent: undefined }]));
    const counts: Record<string, number> = {};
    let sent = 0;
    let revision = 0;
    let unanswered = 0;
    let gateway: FakeGateway | undefined;
    onTestFinished(() => gateway?.close());
    let others: ReturnType<Attacks['writes']> = [];

    while (sent < OPERATIONS) {
      const control = await useControlProcess(data);
      gateway ??= new FakeGateway(join(data, 'control.sock'));
      if (others.length === 0) {
        const made: ReadonlySet<string> = new Set(['putFunction', 'deleteFunction', 'createVersion', 'putTraffic', 'rollback', 'invokeFunction', 'pardonFunction']);
        others = new Attacks(JSON.parse((await control.call('GET', '/openapi.json')).text) as Document).writes('/v1/functions/{name}').filter(({ operation }) => !made.has(operation));
      }
      await check(control);
      let left = Math.floor(random() * PER_LIFE * 2) + 1;
      const enough = Promise.withResolvers<void>();
      let dying = false;
      const writers = names.map(async (name) => {
        const mine = known.get(name) as Known;
        while (!dying && sent < OPERATIONS) {
          const operation = next(random, (sent += 1), name, mine.view, others);
          mine.sent = operation;
          const reply: Reply = await control.call(operation.method, operation.path, operation.body);
          expect([operation.what, reply.status < 500]).toEqual([operation.what, true]);
          counts[`${operation.what} ${reply.status}`] = (counts[`${operation.what} ${reply.status}`] ?? 0) + 1;
          mine.sent = undefined;
          left -= 1;
          if (left === 0) enough.resolve();
          if (reply.status >= 300) continue;
          mine.answered = operation;
          if (typeof reply.body['revision'] === 'number') revision = Math.max(revision, reply.body['revision']);
          const view = await read(control, name);
          expect([operation.what, operation.done(mine.view, view)]).toEqual([operation.what, true]);
          mine.view = view;
          mine.answered = undefined;
        }
      });
      const cut = Promise.allSettled(writers);
      await Promise.race([cut, enough.promise]);
      await sleep(random() * LAST_MS);
      dying = true;
      await control.kill();
      for (const { reason } of (await cut).filter((one) => one.status === 'rejected')) {
        // A cut connection is what is meant; a failed expectation is not.
        if (!['ECONNRESET', 'ECONNREFUSED', 'EPIPE'].includes((reason as NodeJS.ErrnoException).code ?? '') && (reason as Error).message !== 'socket hang up' && (reason as Error).message !== 'aborted') throw reason as Error;
      }
      unanswered += [...known.values()].filter((one) => one.sent !== undefined || one.answered !== undefined).length;
      expect(await brokenAuditRow(data)).toBeNull();
    }
    const last = await useControlProcess(data);
    await check(last);
    await last.kill();
    expect(others.length).toBeGreaterThan(0);
    // The deaths came at points that matter, and the operations were of every kind.
    expect(unanswered).toBeGreaterThan(0);
    const kinds = ['put 200', 'deploy 201', ...(FULL ? ['deploy behind a gate 201', 'traffic 200', 'rollback 200', 'delete 200', 'tenant 200', 'copy 201'] : [])];
    for (const what of kinds) expect([what, (counts[what] ?? 0) > 0]).toEqual([what, true]);

    /** What a life finds of the lives before it. */
    async function check(control: ControlProcess): Promise<void> {
      const digests = new Set<string>();
      for (const name of names) {
        const mine = known.get(name) as Known;
        const found = await read(control, name);
        const shown = [name, mine.answered?.what, mine.sent?.what, bare(mine.view), bare(found)];
        const kept = same(bare(found), bare(mine.view));
        // What was answered holds; what was only sent has happened whole, or not at all.
        const right = mine.answered === undefined ? kept || mine.sent?.done(mine.view, found) === true : mine.answered.done(mine.view, found);
        expect([...shown, right]).toEqual([...shown, true]);
        known.set(name, { view: found, answered: undefined, sent: undefined });
        const listed = await control.call('GET', `/v1/functions/${name}/versions?limit=1000`);
        const versions = (listed.body.items ?? []).map((item) => Number(item['version']));
        // Numbers have no gap.
        expect(versions).toEqual(versions.map((_, index) => index + 1));
        for (const item of listed.body.items ?? []) digests.add(String(item['digest']));
        const live = found?.traffic?.split.map(({ version }) => version) ?? [];
        for (const version of live) {
          const { body } = await control.call('GET', `/v1/functions/${name}/versions/${version}`);
          expect([name, version, (body['gates'] as { state: string } | null)?.state ?? 'passed']).toEqual([name, version, 'passed']);
        }
      }
      for (const digest of digests) expect([digest, isWholeOnDisk(data, digest)]).toEqual([digest, true]);
      expect(new Set(readdirSync(join(data, 'versions', 'default')))).toEqual(digests);
      // The gateway of before takes up where it was, and ends with the same functions and traffic.
      await expect.poll(() => gateway?.revision ?? 0, { timeout: 20_000 }).toBeGreaterThanOrEqual(revision);
      expect(gateway?.faults).toEqual([]);
      const routed = (): unknown => names.filter((name) => gateway?.functions.has(name)).map((name) => [name, gateway?.functions.get(name)?.traffic]);
      const stored = names.filter((name) => known.get(name)?.view !== null).map((name) => [name, known.get(name)?.view?.traffic]);
      await expect.poll(routed, { timeout: 20_000 }).toEqual(stored);
    }
  });
});
