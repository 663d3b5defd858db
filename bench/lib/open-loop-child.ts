// The open-loop client's process: requests leave at times fixed beforehand, whether or not earlier ones were answered.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { OpenLoopJob, OpenLoopResult } from './open-loop.ts';

/** One connection: at most one request is under way on it. */
interface Line {
  socket: Socket;
  /** Index of the request under way; -1: none. */
  at: number;
  received: Buffer;
  /** Of the whole answer, once its head is there. */
  expectedBytes: number;
  bodyBytes: number;
}

const EMPTY = Buffer.alloc(0);
/** Answers that are late by this much at the end of the run count as lost. */
const LATE_MS = 15_000;

function run(job: OpenLoopJob): void {
  const { port, requests, picks, perSec, connections } = job;
  const bytes = requests.map(({ text }) => Buffer.from(text, 'latin1'));
  const bodies = requests.map(({ body }) => (body === undefined ? undefined : Buffer.from(body)));
  const total = picks.length;
  const dueMs = Array.from({ length: total }, (_, i) => (i * 1_000) / perSec);
  const latencyMs = Array.from<number>({ length: total }).fill(-1);
  const outcomes = Array.from<string>({ length: total }).fill('no answer');
  const lagMs: number[] = [];
  /** Requests that are due and wait for a connection. */
  const waiting: number[] = [];
  const idle: Line[] = [];
  let opened = 0;
  let next = 0;
  let answered = 0;
  const startedMs = performance.now() + 50;

  const settle = (at: number, outcome: string): void => {
    latencyMs[at] = performance.now() - startedMs - (dueMs[at] ?? 0);
    outcomes[at] = outcome;
    answered += 1;
    if (answered === total) finish();
  };

  const finish = (): void => {
    const result: OpenLoopResult = { dueMs, latencyMs, outcomes, lagMs };
    process.send?.(result, () => process.exit(0));
  };

  const send = (line: Line, at: number): void => {
    line.at = at;
    line.received = EMPTY;
    line.expectedBytes = 0;
    line.socket.write(bytes[picks[at] ?? 0] ?? EMPTY);
  };

  const free = (line: Line): void => {
    line.at = -1;
    const at = waiting.shift();
    if (at === undefined) idle.push(line);
    else send(line, at);
  };

  const answer = (line: Line): void => {
    const head = line.received.toString('latin1', 0, line.expectedBytes - line.bodyBytes);
    const body = line.received.subarray(line.expectedBytes - line.bodyBytes, line.expectedBytes);
    const status = Number(head.slice(9, 12));
    const want = bodies[picks[line.at] ?? 0];
    let outcome = String(status);
    if (status !== 200) outcome = `${status} ${/"code":"([a-z_]+)"/.exec(body.toString('utf8'))?.[1] ?? ''}`.trim();
    else if (want !== undefined && !body.equals(want)) outcome = 'wrong body';
    else if (/\r\nx-thimble-reason: cold_start/i.test(head)) outcome = '200 cold';
    settle(line.at, outcome);
    const closes = /\r\nconnection: *close/i.test(head);
    if (closes) replace(line);
    else free(line);
  };

  const take = (line: Line, chunk: Buffer): void => {
    if (line.at < 0) return;
    line.received = line.received.length === 0 ? chunk : Buffer.concat([line.received, chunk]);
    if (line.expectedBytes === 0) {
      const end = line.received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = /\r\ncontent-length: *(\d+)/i.exec(line.received.toString('latin1', 0, end + 2))?.[1];
      if (length === undefined) throw new Error(`an answer without content-length: ${line.received.toString('latin1', 0, end)}`);
      line.bodyBytes = Number(length);
      line.expectedBytes = end + 4 + line.bodyBytes;
    }
    if (line.received.length >= line.expectedBytes) answer(line);
  };

  const replace = (line: Line): void => {
    line.socket.removeAllListeners();
    line.socket.on('error', () => {});
    line.socket.destroy();
    opened -= 1;
    open();
  };

  const open = (): void => {
    opened += 1;
    const line: Line = { socket: connect(port, '127.0.0.1'), at: -1, received: EMPTY, expectedBytes: 0, bodyBytes: 0 };
    line.socket.setNoDelay(true);
    line.socket.on('data', (chunk) => take(line, chunk));
    line.socket.on('connect', () => free(line));
    line.socket.on('error', () => {});
    line.socket.on('close', () => {
      const place = idle.indexOf(line);
      if (place >= 0) idle.splice(place, 1);
      if (line.at >= 0) settle(line.at, 'connection lost');
      opened -= 1;
      if (answered < total) setTimeout(open, 10);
    });
  };
  for (let i = 0; i < connections; i++) open();

  const tick = (): void => {
    const now = performance.now() - startedMs;
    while (next < total && (dueMs[next] ?? 0) <= now) {
      lagMs.push(now - (dueMs[next] ?? 0));
      // In turn: one that rests for 10 s is closed by the server, which may cross with the next request on it.
      const line = idle.shift();
      if (line === undefined) waiting.push(next);
      else send(line, next);
      next += 1;
    }
    if (next < total) setTimeout(tick, 1);
    else setTimeout(finish, LATE_MS);
  };
  setTimeout(tick, 50);
}

process.once('message', (job) => run(job as OpenLoopJob));
