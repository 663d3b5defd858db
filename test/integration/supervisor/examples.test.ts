// The examples of a first start, through the whole node, as the README tries them.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeProducts, makeUsers } from '../../../examples/upstreams/data.ts';
import { ask, bootNode, freePorts } from '../../support/node.ts';
import type { Answer, TestNode } from '../../support/node.ts';
import { until } from '../../support/supervisor-process.ts';
import { ROOT } from '../../support/supervisor-sources.ts';

interface Card {
  readonly name: string;
  readonly phone: string;
  readonly products: readonly { readonly id: number; readonly title: string; readonly price: string }[];
}

describe('examples', () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'thimble-node-'));
  let node: TestNode;
  let closedPort = 0;
  const card = async (path: string, headers: Record<string, string> = {}): Promise<Answer> => ask(node.port, { path, headers: { host: `card.localhost:${node.port}`, ...headers } });
  const versions = async (name: string): Promise<number> => ((await node.api('GET', `/v1/functions/${name}/versions`)).body['items'] as unknown[]).length;

  beforeAll(async () => {
    [closedPort = 0] = await freePorts(1);
    node = await bootNode({ examples: true, env: { THIMBLE_DATA: dataFolder, THIMBLE_TOKEN: 'examples', THIMBLE_EGRESS_ALLOW: `127.0.0.1:${closedPort}` } });
  });
  afterAll(async () => {
    await node.stop();
    rmSync(dataFolder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('print a line to try', () => {
    expect(node.output).toMatch(/try: curl http:\/\/card\.localhost:\d+\/cards\/42\nthimble ready/);
  });

  it('card joins two upstreams and masks the phone number', async () => {
    const answer = await card('/cards/42');
    expect(answer.status).toBe(200);
    const body = JSON.parse(answer.text) as Card;
    const user = makeUsers()[41];
    expect(body).toMatchObject({ id: 42, name: user?.name, city: user?.address.city });
    expect(body.phone.replaceAll('*', '').length).toBeLessThan(body.phone.length);
    expect(body.phone.slice(-2)).toBe(user?.phone.slice(-2));
    expect(body.products).toHaveLength(5);
    const all = makeProducts();
    for (const { id, title } of body.products) expect(all[id - 1]?.title).toBe(title);
    expect(answer.text).not.toContain('notes');
  });

  it('card shows the phone number to staff', async () => {
    const user = makeUsers()[41];
    expect((JSON.parse((await card('/cards/42', { authorization: 'Bearer demo' })).text) as Card).phone).toBe(user?.phone);
    expect((JSON.parse((await card('/cards/42', { authorization: 'Bearer other' })).text) as Card).phone).not.toBe(user?.phone);
  });

  it('card answers 404 for what is not there', async () => {
    for (const path of ['/cards/999999', '/cards/x', '/elsewhere']) {
      const answer = await card(path);
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.text)).toMatchObject({ error: 'not_found' });
    }
  });

  it('hello, json and stream answer', async () => {
    expect((await node.call('hello')).text).toBe('Hello from Thimble\n');
    expect(JSON.parse((await node.call('json', '/a?name=you')).text)).toMatchObject({ message: 'hello', path: '/a', name: 'you', method: 'GET' });
    const lines = (await node.call('stream')).text.trimEnd().split('\n');
    expect(lines).toEqual(Array.from({ length: 1_000 }, (_, at) => `chunk ${at}`));
  });

  it('echo gives a large body back', async () => {
    const body = Buffer.alloc(3 * 1_048_576, 'thimble ');
    const answer = await node.call('echo', '/', { method: 'POST', body, headers: { 'content-length': body.length } });
    expect(answer.status).toBe(200);
    expect(answer.text === body.toString()).toBe(true);
  });

  it('card answers 502 in its own JSON when an upstream is gone', async () => {
    const folder = join(ROOT, 'examples', 'card', 'function');
    const files = Object.fromEntries(['index.ts', 'card.ts', 'upstreams.ts'].map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
    await node.deploy('card-broken', files, { env: { PRODUCTS_URL: `http://127.0.0.1:${closedPort}`, USERS_URL: `http://127.0.0.1:${closedPort}` } });
    const answer = await node.call('card-broken', '/cards/42');
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.text)).toMatchObject({ error: 'upstream_failed' });
  });

  it('card works again soon after its upstreams were killed', async () => {
    const pid = node.kill('upstreams');
    await until(() => node.processes().some((one) => one.name === 'upstreams' && one.pid !== pid), 3_000);
    let answer: Answer;
    const giveUpAt = performance.now() + 5_000;
    do answer = await card('/cards/42');
    while (answer.status !== 200 && performance.now() < giveUpAt);
    expect(answer.status).toBe(200);
  });

  it('are not deployed again on a second start; card moves with its upstreams when a port is taken', async () => {
    await node.stop();
    const state = JSON.parse(readFileSync(join(dataFolder, 'examples.json'), 'utf8')) as { ports: { products: number; users: number } };
    node = await bootNode({ examples: true, env: { THIMBLE_DATA: dataFolder, THIMBLE_TOKEN: 'examples' } });
    expect(await versions('card')).toBe(1);
    expect((await card('/cards/7')).status).toBe(200);
    await node.stop();

    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen({ host: '127.0.0.1', port: state.ports.users }, resolve));
    try {
      node = await bootNode({ examples: true, env: { THIMBLE_DATA: dataFolder, THIMBLE_TOKEN: 'examples' } });
      expect(await versions('card')).toBe(2);
      expect(await versions('hello')).toBe(1);
      expect((await card('/cards/7')).status).toBe(200);
    } finally {
      squatter.close();
    }
    expect(existsSync(join(dataFolder, 'lock.pid'))).toBe(true);
  });
});
