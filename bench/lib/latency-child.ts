// The latency client's process: one raw socket, one request at a time, so that little but the server is measured.
import { connect } from 'node:net';

export interface LatencyJob {
  readonly port: number;
  /** The whole request as it goes on the wire. */
  readonly request: string;
  readonly expectBody: string;
  /** Requests before the first that counts. */
  readonly warmRequests: number;
  readonly requests: number;
}

function run({ port, request, expectBody, warmRequests, requests }: LatencyJob): void {
  const bytes = Buffer.from(request);
  const want = Buffer.from(expectBody);
  const latenciesUs: number[] = [];
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  let sent = 0;
  let sentNs = 0n;
  let received = Buffer.alloc(0);
  let expectedBytes = 0;
  const fail = (why: string): never => {
    throw new Error(`answer ${sent}: ${why}`);
  };
  const send = (): void => {
    sent += 1;
    sentNs = process.hrtime.bigint();
    socket.write(bytes);
  };
  // Heads are parsed only as far as needed: the answers have a Content-Length, or the run fails.
  const readHead = (): void => {
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = received.toString('latin1', 0, end).toLowerCase();
    if (!head.startsWith('http/1.1 200 ')) fail(head);
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1] ?? fail(`no content-length: ${head}`);
    expectedBytes = end + 4 + Number(length);
  };
  socket.on('connect', send);
  socket.on('close', () => fail('the connection was closed'));
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    if (expectedBytes === 0) readHead();
    if (expectedBytes === 0 || received.length < expectedBytes) return;
    const us = Number(process.hrtime.bigint() - sentNs) / 1_000;
    if (received.length > expectedBytes || !received.subarray(expectedBytes - want.length).equals(want)) fail(`a wrong body: ${received.toString()}`);
    if (sent > warmRequests) latenciesUs.push(us);
    received = Buffer.alloc(0);
    expectedBytes = 0;
    if (sent < warmRequests + requests) send();
    else process.send?.(latenciesUs, () => process.exit(0));
  });
}

process.once('message', (job) => run(job as LatencyJob));
