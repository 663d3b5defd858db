// Redirects: followed by hand, every hop checked again.
import { describe, expect, it } from 'vitest';
import { useSidecar } from '../../support/sidecar-server.ts';
import { bodyOf, useRawUpstream, useUpstream } from '../../support/sidecar-upstream.ts';

const SECRETS = ['authorization', 'Bearer t', 'cookie', 'a=1', 'content-type', 'text/plain', 'x-other', '1'];

describe('redirects', () => {
  it('are followed to the end, with the final URL', async () => {
    const upstream = await useUpstream((request, response) => {
      if (request.url === '/end?x=1') response.end('here');
      else response.writeHead(302, { location: request.url === '/' ? 'middle' : '/end?x=1#fragment' }).end('moved');
    });
    const host = await (await useSidecar()).connect();
    const answer = await host.fetch({ url: upstream.origin });
    expect(answer).toMatchObject({ status: 200, redirected: true, url: `${upstream.origin}/end?x=1` });
    expect(answer.body.toString()).toBe('here');
    expect(upstream.accepted()).toBe(1);
  });

  it('are given back in manual mode and refused in error mode', async () => {
    const upstream = await useUpstream((_request, response) => response.writeHead(301, { location: '/x' }).end('moved'));
    const host = await (await useSidecar()).connect();
    const manual = await host.fetch({ url: upstream.origin, redirect: 'manual' });
    expect([manual.status, manual.header('location'), manual.redirected]).toEqual([301, '/x', false]);
    await expect(host.fetch({ url: upstream.origin, redirect: 'error' })).rejects.toMatchObject({ code: 'upstream_failed', params: { why: 'redirect' } });
    expect(await host.codeOf({ url: upstream.origin, redirect: 'sometimes' })).toBe('protocol_violation');
    expect(upstream.requests.length).toBe(2);
  });

  it('without a location, or of another 3xx status, are answers', async () => {
    const upstream = await useUpstream((request, response) => (request.url === '/300' ? response.writeHead(300, { location: '/x' }) : response.writeHead(302)).end('as is'));
    const host = await (await useSidecar()).connect();
    expect((await host.fetch({ url: upstream.origin })).status).toBe(302);
    expect((await host.fetch({ url: `${upstream.origin}/300` })).status).toBe(300);
  });

  it('end after twenty hops', async () => {
    let hops = 0;
    const upstream = await useUpstream((_request, response) => response.writeHead(302, { location: `/${++hops}` }).end());
    const host = await (await useSidecar()).connect();
    await expect(host.fetch({ url: upstream.origin })).rejects.toMatchObject({ params: { why: 'too_many_redirects' } });
    expect(hops).toBe(21);
  });

  it.each([
    [301, 'POST', 'GET', ''], [302, 'POST', 'GET', ''], [303, 'POST', 'GET', ''], [303, 'PUT', 'GET', ''], [303, 'HEAD', 'HEAD', ''],
    [301, 'PUT', 'PUT', 'body'], [307, 'POST', 'POST', 'body'], [308, 'DELETE', 'DELETE', 'body'],
  ])('%i turns %s into %s', async (status, method, becomes, body) => {
    const seen: string[] = [];
    const upstream = await useUpstream((request, response) =>
      void bodyOf(request).then((bytes) => {
        if (request.url === '/') response.writeHead(status, { location: '/to' }).end();
        else {
          seen.push(request.method ?? '', bytes.toString(), request.headers['content-type'] ?? '');
          response.end();
        }
      }),
    );
    const host = await (await useSidecar()).connect();
    await host.fetch({ url: upstream.origin, method, headers: ['content-type', 'text/plain'], ...(method === 'HEAD' ? {} : { body: 'body' }) });
    expect(seen).toEqual([becomes, body, body === '' && method !== 'HEAD' ? '' : 'text/plain']);
  });

  it('to another origin lose credentials; to the same one they keep them', async () => {
    const target = await useUpstream((_request, response) => response.end());
    const upstream = await useUpstream((request, response) => {
      if (request.url === '/same') response.end();
      else response.writeHead(307, { location: request.url === '/' ? '/same' : `${target.origin}/` }).end();
    });
    const host = await (await useSidecar()).connect();
    await host.fetch({ url: `${upstream.origin}/`, headers: SECRETS });
    await host.fetch({ url: `${upstream.origin}/away`, headers: SECRETS });
    expect(upstream.requests[1]?.headers).toMatchObject({ authorization: 'Bearer t', cookie: 'a=1', 'x-other': '1' });
    expect(target.requests[0]?.headers).toMatchObject({ 'x-other': '1', 'content-type': 'text/plain' });
    expect(target.requests[0]?.headers).not.toHaveProperty('authorization');
    expect(target.requests[0]?.headers).not.toHaveProperty('cookie');
  });

  it('to a refused address are refused', async () => {
    const targets = ['http://169.254.169.254/latest/meta-data/', 'http://[::1]:9/', 'http://10.0.0.1/', 'ftp://127.0.0.1/', 'http://user:pw@127.0.0.1/', 'http://localhost/', 'file:///etc/passwd'];
    const upstream = await useUpstream((request, response) => response.writeHead(302, { location: targets[Number(request.url?.slice(1))] ?? '/' }).end());
    const host = await (await useSidecar()).connect();
    for (let i = 0; i < targets.length; i++) expect(await host.codeOf({ url: `${upstream.origin}/${i}` })).toBe('egress_refused');
    expect(upstream.requests.length).toBe(targets.length);
  });

  it('to no URL at all fail', async () => {
    const upstream = await useUpstream((_request, response) => response.writeHead(302, { location: 'http://[' }).end());
    const host = await (await useSidecar()).connect();
    await expect(host.fetch({ url: upstream.origin })).rejects.toMatchObject({ params: { why: 'bad_redirect' } });
  });

  it('can not repeat a streamed body, except as 303', async () => {
    const upstream = await useUpstream((request, response) => {
      if (request.url === '/to') response.end(request.method);
      else void bodyOf(request).then(() => response.writeHead(Number(request.url?.slice(1)), { location: '/to' }).end());
    });
    const host = await (await useSidecar()).connect();
    for (const status of [301, 302, 303, 307, 308]) {
      const call = host.open({ url: `${upstream.origin}/${status}`, method: 'POST', streamed: true });
      await call.write(Buffer.from('part'));
      call.end();
      const outcome = await call.answer.then((answer) => answer.body.toString(), (error: { params: { why: string } }) => error.params.why);
      expect([status, outcome]).toEqual([status, status === 303 ? 'GET' : 'streamed_body_redirect']);
    }
  });

  it('with an endless body of their own are followed all the same', async () => {
    const target = await useUpstream((_request, response) => response.end('here'));
    const upstream = await useRawUpstream((socket) =>
      socket.once('data', () => {
        socket.write(`HTTP/1.1 302 Found\r\nlocation: ${target.origin}/\r\n\r\n`);
        const timer = setInterval(() => socket.write('x'.repeat(30_000)), 1);
        socket.on('close', () => clearInterval(timer));
      }),
    );
    const host = await (await useSidecar()).connect();
    expect((await host.fetch({ url: upstream.origin })).body.toString()).toBe('here');
  });
});
