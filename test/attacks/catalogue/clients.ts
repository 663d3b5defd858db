// Clients that break off, dawdle or lie, over raw sockets, at functions that would be hurt by it.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { LIMITS, handler } from '../attack.ts';
import type { Attack, Outcome } from '../attack.ts';
import type { Stand } from '../stand.ts';

const STREAMING = handler("if (request.method === 'POST') { let n = 0; for await (const c of request.body) n += c.length; return new Response(String(n)); } return new Response(new ReadableStream({ async pull(c) { await new Promise((r) => setTimeout(r, 1)); c.enqueue(new Uint8Array(65_536)); } }));");

async function raw(stand: Stand, head: string): Promise<Socket> {
  const socket = connect(stand.node.port, '127.0.0.1');
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(head, 'latin1');
  return socket;
}

const request = (fn: string, method = 'GET', fields = ''): string => `${method} / HTTP/1.1\r\nHost: h\r\nx-thimble-function: ${fn}\r\n${fields}\r\n`;

/** `count` clients that `break` their connection a little after they began. */
function leaving(count: number, method: string, fields: string, then: (socket: Socket) => void): NonNullable<Attack['act']> {
  return async (stand, fn): Promise<readonly Outcome[]> => {
    const sockets = await Promise.all(Array.from({ length: count }, async () => raw(stand, request(fn, method, fields))));
    await stand.pause(30);
    for (const socket of sockets) then(socket);
    await stand.pause(30);
    for (const socket of sockets) socket.destroy();
    return ['ok'];
  };
}

/** Sends bytes and reads the status that comes, if any. */
async function statusOf(stand: Stand, bytes: string): Promise<Outcome> {
  const socket = await raw(stand, bytes);
  const text = await new Promise<string>((resolve) => {
    let got = '';
    const timer = setTimeout(() => resolve(got), 150);
    socket.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')));
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(got);
    });
  });
  socket.destroy();
  return text === '' ? 'silence' : text.slice(9, 12);
}

export const CLIENT_ATTACKS: readonly Attack[] = [
  { name: 'client-leaves-response', row: 'R18', may: ['ok'], source: STREAMING, act: leaving(20, 'GET', '', (socket) => socket.destroy()) },
  { name: 'client-resets-response', row: 'R18', may: ['ok'], source: STREAMING, act: leaving(20, 'GET', '', (socket) => socket.resetAndDestroy()) },
  { name: 'client-half-closes', row: 'R18', may: ['ok'], source: STREAMING, act: leaving(20, 'GET', '', (socket) => socket.end()) },
  { name: 'client-leaves-body', row: 'R18', may: ['ok'], source: STREAMING, act: leaving(20, 'POST', 'Content-Length: 100000\r\n', (socket) => { socket.write('x'.repeat(50_000)); socket.resetAndDestroy(); }) },
  { name: 'client-leaves-chunked', row: 'R18', may: ['ok'], source: STREAMING, act: leaving(20, 'POST', 'Transfer-Encoding: chunked\r\n', (socket) => { socket.write('400\r\nabc'); socket.destroy(); }) },
  { name: 'client-never-reads', row: 'R18', may: ['ok'], settings: { limits: { ...LIMITS, cpuMs: 200, streamMs: 400 } }, source: STREAMING, act: leaving(10, 'GET', '', (socket) => socket.pause()) },
  { name: 'client-never-reads-large-chunks', row: 'R18', may: ['ok'], settings: { limits: { ...LIMITS, cpuMs: 200, streamMs: 400 } }, source: handler('return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1_000_000)); } }));'), act: leaving(10, 'GET', '', (socket) => socket.pause()) },
  { name: 'client-leaves-while-waiting', row: 'R18', may: ['ok'], settings: { limits: { ...LIMITS, concurrency: 1, wallMs: 500 } }, source: handler('await new Promise((r) => setTimeout(r, 100)); return new Response("x");'), act: leaving(20, 'GET', '', (socket) => socket.destroy()) },
  { name: 'client-leaves-cold-start', row: 'R18', may: ['ok'], source: `const until = 2e7; let n = 0; for (let i = 0; i < until; i++) n += i;${STREAMING}`, act: leaving(10, 'GET', '', (socket) => socket.destroy()) },
  { name: 'client-abort-listener-loops', row: 'R18', may: ['ok'], settings: { limits: { ...LIMITS, wallMs: 600 } }, source: handler("request.signal.addEventListener('abort', () => { for (;;); }); await new Promise(() => {});"), act: leaving(3, 'GET', '', (socket) => socket.destroy()) },
  {
    name: 'ambiguous-heads', row: 'R19', may: ['400', '404', '505', '431', 'silence'], source: STREAMING,
    act: async (stand, fn) => Promise.all([
      'Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcdGET /smuggled HTTP/1.1\r\nHost: h\r\n', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n', 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n',
      'Host: other\r\n', 'Content-Length: +4\r\n\r\nabcd', 'Content-Length: 99999999999999999999\r\n', ' x: y\r\n', 'x\u0000: y\r\n', `x: ${'y'.repeat(70_000)}\r\n`,
    ].map(async (fields) => statusOf(stand, request(fn, 'POST', fields)))),
  },
  {
    name: 'slow-clients', row: 'R21', may: ['ok'], source: STREAMING,
    // Held over the check of the neighbours: what idle connections cost others is the question. Their closing is tested in test/fuzz/gateway.
    act: async (stand) => {
      const sockets = await Promise.all(Array.from({ length: 300 }, async (_, i) => raw(stand, i % 2 === 0 ? 'GET / HTTP/1.1\r\nHo' : '')));
      stand.later(() => sockets.forEach((socket) => socket.destroy()));
      return ['ok'];
    },
  },
  { name: 'paths-odd', row: 'own', may: ['ok', '200', '400', '404', 'silence'], source: handler('return new Response(new URL(request.url).href);'), act: async (stand, fn) => Promise.all(['/../../etc/passwd', '/%00', '/%', '//evil.test/', '/\\evil', '/a?b=%zz', '/%2e%2e/x', `/${'a/'.repeat(2_000)}`].map(async (path) => statusOf(stand, request(fn).replace('GET / ', `GET ${path} `)))) },
  { name: 'methods-odd', row: 'own', may: ['200', '400', '404', '405', '501', 'silence'], source: handler('return new Response(request.method);'), act: async (stand, fn) => Promise.all(['@queue', '@scheduled', '@business', 'TRACE', 'CONNECT', 'get', 'PROPFIND', 'OPTIONS'].map(async (method) => statusOf(stand, request(fn, method)))) },
];
