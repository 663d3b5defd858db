// What a shadow's calls may do: nothing that changes anything outside, and nothing that its function's own calls would notice.
import { describe, expect, it } from 'vitest';
import type { Call, CallTask, MiddlewareClient } from '../../../sidecar/index.ts';
import { CacheClient, cacheLimits } from '../../../sidecar/clients/cache/index.ts';
import { CallFailed } from '../../support/sidecar-host.ts';
import type { FetchOptions, TestHost } from '../../support/sidecar-host.ts';
import { useSidecar } from '../../support/sidecar-server.ts';
import { useUpstream } from '../../support/sidecar-upstream.ts';

const codeOf = async (host: TestHost, options: FetchOptions): Promise<string> => {
  try {
    await host.open(options).answer;
    return 'answered';
  } catch (error) {
    return error instanceof CallFailed ? error.code : String(error);
  }
};

/** A client that nobody has said anything about. */
class NewClient implements MiddlewareClient {
  readonly name = 'queue';
  readonly operations = new Set(['peek', 'send']);
  readonly sockets = 0;
  calls = 0;

  start(call: Call): CallTask {
    this.calls += 1;
    call.reply('', null);
    return { bodyData: () => {}, bodyEnd: () => {}, resume: () => {}, abort: () => {} };
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}

describe('calls of a shadow', () => {
  it('read over http, and never write', async () => {
    const seen: string[] = [];
    const upstream = await useUpstream((request, response) => {
      seen.push(String(request.method));
      response.end('ok');
    });
    const host = await (await useSidecar()).connect();
    const codes: Record<string, string> = {};
    // What is no method at all is none that reads.
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'get', 'GET ', '']) {
      codes[method] = await codeOf(host, { url: `${upstream.origin}/x`, method, shadow: true });
    }
    const refused = Object.fromEntries(['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'get', 'GET ', ''].map((method) => [method, 'shadow_refused']));
    expect(codes).toEqual({ GET: 'answered', HEAD: 'answered', OPTIONS: 'answered', ...refused });
    expect(await codeOf(host, { url: `${upstream.origin}/x`, method: 'POST' })).toBe('answered');
    expect(seen).toEqual(['GET', 'HEAD', 'OPTIONS', 'POST']);
  });

  it('an upload of one never begins', async () => {
    const host = await (await useSidecar()).connect();
    const open = host.open({ url: 'http://127.0.0.1:9/x', method: 'POST', streamed: true, shadow: true });
    await expect(open.answer).rejects.toMatchObject({ code: 'shadow_refused' });
    // Chunks that were on their way are late, not wrong.
    expect(await codeOf(host, { url: 'http://127.0.0.1:9/x', method: 'PUT', shadow: true })).toBe('shadow_refused');
  });

  it('reach no client that has not been told what of it reads', async () => {
    const queue = new NewClient();
    const host = await (await useSidecar({ clients: [queue] })).connect();
    for (const operation of ['peek', 'send']) expect(await codeOf(host, { url: '', client: 'queue', operation, head: 'x', shadow: true })).toBe('shadow_refused');
    expect(queue.calls).toBe(0);
    expect(await codeOf(host, { url: '', client: 'queue', operation: 'send', head: 'x' })).toBe('answered');
  });

  it('have caches of their own', async () => {
    const host = await (await useSidecar({ clients: [new CacheClient(cacheLimits(64))] })).connect();
    const put = (by: string, shadow: boolean): Promise<string> => codeOf(host, { url: '', client: 'cache', operation: 'put', head: `*\nhttp://x/\n0\n200\nbasic\nOK\nhttp://x/\ncache-control\nmax-age=60\nx-by\n${by}`, body: 'v', shadow });
    const match = async (shadow: boolean): Promise<string> => (await host.open({ url: '', client: 'cache', operation: 'match', head: '*\n\nhttp://x/', shadow }).head)[2];
    await put('live', false);
    expect(await match(true)).toBe('miss');
    await put('shadow', true);
    expect(await match(true)).toContain('x-by\nshadow');
    expect(await match(false)).toContain('x-by\nlive');
    // What one drops the other keeps.
    expect(await codeOf(host, { url: '', client: 'cache', operation: 'delete', head: '*\n\nhttp://x/', shadow: true })).toBe('answered');
    expect([await match(true), (await match(false)).split('\n', 1)[0]]).toEqual(['miss', 'hit']);
  });

  it('use up no quota of their tenant', async () => {
    const upstream = await useUpstream((_, response) => void response.end('ok'));
    const sidecar = await useSidecar();
    sidecar.server.admission.setRates([['shop', 2]]);
    const host = await sidecar.connect();
    const call = (shadow: boolean): Promise<string> => codeOf(host, { url: `${upstream.origin}/`, tenant: 'shop', shadow });
    for (let n = 0; n < 5; n++) expect(await call(true)).toBe('answered');
    expect([await call(false), await call(false), await call(false)]).toEqual(['answered', 'answered', 'tenant_subrequests_limited']);
  });
});
