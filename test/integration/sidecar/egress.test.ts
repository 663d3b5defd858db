// The egress guard at work: pinned connections, rebinding, TLS names, refusals in logs and figures. Injected resolver and connector; loopback only.
import { connect as tcpConnect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { buildConnector } from 'undici';
import { FRAME } from '../../../core/protocol/index.ts';
import type { ConnectFactory } from '../../../sidecar/clients/http/connector.ts';
import { systemConnect } from '../../../sidecar/clients/http/connector.ts';
import { until } from '../../support/sidecar-host.ts';
import { useSidecar } from '../../support/sidecar-server.ts';
import { TEST_CERTIFICATE } from '../../support/sidecar-tls.ts';
import { useTlsUpstream, useUpstream } from '../../support/sidecar-upstream.ts';

describe('refusals', () => {
  it('send no packet, reach the function as their code and the log as function, tenant, host and rule', async () => {
    const connected: string[] = [];
    const sidecar = await useSidecar({
      egressAllow: [],
      resolver: async () => ['10.0.0.5'],
      connect: () => (options: buildConnector.Options) => {
        connected.push(options.hostname);
        return undefined;
      },
    });
    const host = await sidecar.connect();
    await expect(host.fetch({ url: 'http://db.acme.io/secret?token=s3cret', fn: 'card', tenant: 'shop' })).rejects.toMatchObject({ code: 'egress_refused', params: { rule: 'address_not_public' } });
    for (const url of ['http://127.0.0.1/', 'http://localhost/', 'http://u:p@api.acme.io/', 'no url', 'ftp://a.acme.io/']) expect(await host.codeOf({ url })).toBe('egress_refused');
    expect(connected).toEqual([]);
    expect(sidecar.server.tally).toMatchObject({ calls: 6, refused: 6, failed: 0, active: 0 });
    const logs = sidecar.server.tally.takeLogs();
    expect(logs?.[0]).toBe(FRAME.logs);
    expect(logs?.[2].length).toBe(6);
    const [, level, fn, , invocation, , fields] = logs?.[2][0] ?? [];
    expect([level, fn, invocation]).toEqual(['warn', 'card', 'inv-1']);
    expect(JSON.parse(fields ?? '')).toEqual({ code: 'egress_refused', rule: 'address_not_public', host: 'db.acme.io', tenant: 'shop' });
    expect(JSON.stringify(logs)).not.toContain('s3cret');
    expect(sidecar.server.tally.takeLogs()).toBeUndefined();
  });

  it('of the node\'s own ports hold although loopback is allowed', async () => {
    const upstream = await useUpstream((_request, response) => response.end('admin'));
    const host = await (await useSidecar({ ownPorts: [upstream.port] })).connect();
    expect(await host.codeOf({ url: upstream.origin })).toBe('egress_refused');
    const allowed = await (await useSidecar({ ownPorts: [upstream.port], egressAllow: [`127.0.0.1:${upstream.port}`] })).connect();
    expect(await allowed.codeOf({ url: upstream.origin })).toBe('ok');
    expect(upstream.accepted()).toBe(1);
  });

  it('hold for a URL with user information although its origin has open connections', async () => {
    const upstream = await useUpstream((_request, response) => response.end());
    const host = await (await useSidecar()).connect();
    expect(await host.codeOf({ url: upstream.origin })).toBe('ok');
    expect(await host.codeOf({ url: upstream.origin.replace('http://', 'http://user:pw@') })).toBe('egress_refused');
    expect(upstream.requests.length).toBe(1);
  });
});

describe('pinning', () => {
  it('connects to the checked address with the name as Host, looking it up once', async () => {
    const upstream = await useUpstream((request, response) => response.end(request.headers.host));
    const looked: string[] = [];
    const host = await (await useSidecar({ resolver: async (name) => (looked.push(name), ['127.0.0.1']) })).connect();
    const url = `http://api.acme.io:${upstream.port}/`;
    for (let i = 0; i < 3; i++) expect((await host.fetch({ url })).body.toString()).toBe(`api.acme.io:${upstream.port}`);
    expect(looked).toEqual(['api.acme.io']);
    expect(upstream.accepted()).toBe(1);
  });

  it('refuses a socket that is connected elsewhere than checked', async () => {
    const upstream = await useUpstream((_request, response) => response.end());
    // As if the system had resolved the name again by itself: checked was a public address, connected is loopback.
    const rebinding: ConnectFactory = () => (_options, callback) => {
      const socket = tcpConnect(upstream.port, '127.0.0.1', () => callback(null, socket));
      return socket;
    };
    const sidecar = await useSidecar({ egressAllow: [], resolver: async () => ['93.184.215.14'], connect: rebinding });
    const host = await sidecar.connect();
    await expect(host.fetch({ url: 'http://api.acme.io/' })).rejects.toMatchObject({ code: 'egress_refused', params: { rule: 'address_changed' } });
    expect(upstream.requests).toEqual([]);
    expect(JSON.stringify(sidecar.server.tally.takeLogs())).toContain('address_changed');
  });

  it('gives the connector nothing but the pinned addresses to connect to', async () => {
    const offered: unknown[] = [];
    const factory: ConnectFactory = (lookup) => (options, callback) => {
      lookup(options.hostname, { all: true }, (_error, all) => offered.push(all));
      lookup(options.hostname, {}, (_error, one) => offered.push(one));
      callback(Object.assign(new Error('no network'), { code: 'ENETUNREACH' }), null);
      return undefined;
    };
    const host = await (await useSidecar({ resolver: async () => ['93.184.215.14', '2606:4700::1'], connect: factory })).connect();
    await expect(host.fetch({ url: 'http://api.acme.io/' })).rejects.toMatchObject({ code: 'upstream_failed', params: { why: 'unreachable' } });
    expect(offered).toEqual([[{ address: '93.184.215.14', family: 4 }, { address: '2606:4700::1', family: 6 }], '93.184.215.14']);
  });

  it('ends with the check: a name that moved is never served over the old connections', async () => {
    const old = await useUpstream((_request, response) => response.end('old'));
    let answers = ['127.0.0.1'];
    const sidecar = await useSidecar({ resolver: async () => answers, egressAllow: ['127.0.0.1', '127.0.0.2'] });
    const host = await sidecar.connect();
    const url = `http://api.acme.io:${old.port}/`;
    expect((await host.fetch({ url })).body.toString()).toBe('old');
    // Age the check by hand: it holds for some seconds.
    sidecar.http.pools.pin('default', `http://api.acme.io:${old.port}`, { addresses: [{ address: '127.0.0.1', family: 4 }], freshUntilMs: 0 });
    answers = ['127.0.0.2'];
    await expect(host.fetch({ url })).rejects.toMatchObject({ params: { why: 'connection_refused' } });
    await until(() => old.open() === 0);
    sidecar.http.pools.pin('default', `http://api.acme.io:${old.port}`, { addresses: [{ address: '127.0.0.1', family: 4 }], freshUntilMs: 0 });
    answers = ['10.0.0.1'];
    expect(await host.codeOf({ url })).toBe('egress_refused');
  });

  it('tries the next address when the first does not answer', async () => {
    const upstream = await useUpstream((_request, response) => response.end('second'));
    const host = await (await useSidecar({ resolver: async () => ['127.0.0.9', '127.0.0.1'] })).connect();
    expect((await host.fetch({ url: `http://api.acme.io:${upstream.port}/` })).body.toString()).toBe('second');
  });
});

describe('a connection attempt', () => {
  it('is given up with its call', async () => {
    let socket: ReturnType<typeof tcpConnect> | undefined;
    const upstream = await useUpstream(() => {});
    const factory: ConnectFactory = () => () => (socket = tcpConnect(upstream.port, '127.0.0.1'));
    const host = await (await useSidecar({ connect: factory })).connect();
    expect(await host.codeOf({ url: upstream.origin, deadlineMs: 80 })).toBe('upstream_timeout');
    await until(() => socket?.destroyed === true);
  });
});

describe('TLS', () => {
  it('is verified against the name in the URL', async () => {
    const upstream = await useTlsUpstream((request, response) => response.end((request.socket as { servername?: string }).servername ?? ''));
    const options = { resolver: async () => ['127.0.0.1'], egressAllow: ['127.0.0.1', 'api.acme.test'] };
    const trusting = await (await useSidecar({ ...options, connect: systemConnect(TEST_CERTIFICATE) })).connect();
    expect((await trusting.fetch({ url: `https://api.acme.test:${upstream.port}/` })).body.toString()).toBe('api.acme.test');
    expect(await trusting.codeOf({ url: `https://127.0.0.1:${upstream.port}/` })).toBe('ok');
    await expect(trusting.fetch({ url: `https://other.acme.io:${upstream.port}/` })).rejects.toMatchObject({ params: { why: 'tls' } });
    const wary = await (await useSidecar(options)).connect();
    await expect(wary.fetch({ url: `https://api.acme.test:${upstream.port}/` })).rejects.toMatchObject({ params: { why: 'tls' } });
    const plain = await useUpstream(() => {});
    await expect(wary.fetch({ url: `https://127.0.0.1:${plain.port}/` })).rejects.toMatchObject({ code: 'upstream_failed', params: { why: 'tls' } });
  });
});
