// Sends a case's requests to a server and notes what came back as facts: small enough that a difference names itself.
import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exchange } from './cases.ts';

/** What one answer is made of, by name: `status`, `header NAME`, and `body` or one fact for each line of a report. */
export type Facts = Readonly<Record<string, string>>;

/** Facts of each request, by the request's title. */
export type Observation = Readonly<Record<string, Facts>>;

export interface Server {
  readonly port: number;
  /** Sent with each request, for servers that pick the function by one. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Same on every server, so that `request.url` is the same too. No function has this name. */
const HOST = 'differential.localhost';
const ANSWER_MS = 15_000;
/** A longer body is told by its length and digest. */
const LONGEST_BODY = 4_096;
const REPORT_LINE = /^([^=\n]+?) = (.*)$/;

export function titleOf(exchange: Exchange): string {
  return exchange.title ?? `${exchange.method ?? 'GET'} ${exchange.path ?? '/'}`;
}

/** Sends the requests one after the other: a function may count on what the one before left. */
export async function observe(server: Server, exchanges: readonly Exchange[]): Promise<Observation> {
  const observation: Record<string, Facts> = {};
  for (const exchange of exchanges) {
    const title = titleOf(exchange);
    if (title in observation) throw new Error(`two requests are called ${title}`);
    observation[title] = await send(server, exchange);
    if (exchange.restMs !== undefined) await sleep(exchange.restMs);
  }
  return observation;
}

async function send(server: Server, exchange: Exchange): Promise<Facts> {
  return new Promise((resolve) => {
    const request = httpRequest({
      host: '127.0.0.1', port: server.port, agent: false, method: exchange.method ?? 'GET', path: exchange.path ?? '/',
      headers: { host: HOST, ...server.headers, ...exchange.headers, ...lengthOf(exchange) },
    });
    const timer = setTimeout(() => {
      resolve({ failure: 'no answer' });
      request.destroy();
    }, ANSWER_MS);
    request.on('close', () => clearTimeout(timer));
    request.on('error', () => resolve({ failure: 'connection lost' }));
    request.on('response', (response) => void receive(response, exchange, () => request.destroy()).then(resolve));
    void upload(exchange.body, (chunk) => request.write(chunk)).then(() => request.end());
  });
}

/** A body that is there whole has a length; one that comes in chunks has none. */
function lengthOf({ body }: Exchange): Readonly<Record<string, number>> {
  return typeof body === 'string' || body instanceof Uint8Array ? { 'content-length': Buffer.byteLength(body) } : {};
}

async function upload(body: Exchange['body'], write: (chunk: string | Uint8Array) => void): Promise<void> {
  if (body === undefined) return;
  if (typeof body === 'string' || body instanceof Uint8Array) return write(body);
  for (const chunk of body) {
    write(chunk);
    await sleep(5);
  }
}

async function receive(response: IncomingMessage, exchange: Exchange, leave: () => void): Promise<Facts> {
  const facts: Record<string, string> = { status: String(response.statusCode) };
  for (const name of ['content-type', ...(exchange.answerHeaders ?? [])]) {
    const value = response.headers[name];
    facts[`header ${name}`] = value === undefined ? '(absent)' : Array.isArray(value) ? value.join('\n') : value;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (exchange.leaveAfterBytes !== undefined && length >= exchange.leaveAfterBytes) {
        leave();
        return facts;
      }
    }
  } catch {
    return { ...facts, failure: 'answer broken off' };
  }
  return { ...facts, ...bodyFacts(Buffer.concat(chunks)) };
}

function bodyFacts(body: Buffer): Facts {
  const text = body.toString('utf8');
  const named = text.split('\n').map((line) => REPORT_LINE.exec(line));
  if (named.every((match) => match !== null)) {
    const facts = Object.fromEntries(named.map(([, name = '', value = '']) => [`= ${name}`, value]));
    if (Object.keys(facts).length !== named.length) throw new Error('two checks of a report have the same name');
    return facts;
  }
  if (body.length > LONGEST_BODY) return { body: `${body.length} bytes, sha-256 ${createHash('sha256').update(body).digest('hex')}` };
  return { body: Buffer.from(text).equals(body) ? text : `hex:${body.toString('hex')}` };
}
