// The function files and what is asked of each. A function that is not named here is asked `GET /`.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from './record.ts';

/** One request. */
export interface Exchange {
  /** Default: method and path. */
  readonly title?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Several pieces are sent chunked, with pauses. */
  readonly body?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Response headers to compare besides content-type; lower case. */
  readonly answerHeaders?: readonly string[];
  /** The client goes away when this much of the body has come. */
  readonly leaveAfterBytes?: number;
  /** Pause after the answer, milliseconds. */
  readonly restMs?: number;
}

/** How a file registers its handler: peers that lack the form run it by an adapter. */
export type Form = 'object' | 'function' | 'listener' | 'deno' | 'bun';

export interface DifferentialCase {
  readonly name: string;
  readonly form: Form;
  readonly exchanges: readonly Exchange[];
  /** Peers that can't run the file at all, and why. */
  readonly without?: Readonly<Partial<Record<Peer, string>>>;
  /** Runs in a process of its own: it may take its runtime down. */
  readonly alone?: boolean;
}

/** What each function finds in its environment. */
export const ENVIRONMENT: Readonly<Record<string, string>> = { GREETING: 'hello', EMPTY: '', SNOWMAN: '☃' };

const GET: readonly Exchange[] = [{}];
const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const text = { 'content-type': 'text/plain;charset=UTF-8' };
const everyShape: readonly Exchange[] = [{}, { path: '/sum?a=2&b=40' }, { path: '/missing' }, { method: 'POST', path: '/echo', headers: text, body: 'hello ☃' }];
const BOUNDARY = '----differential';
const multipart = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };

function multipartBody(...parts: readonly (readonly [disposition: string, value: string, type?: string])[]): string {
  const written = parts.map(([disposition, value, type]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n${type === undefined ? '' : `Content-Type: ${type}\r\n`}\r\n${value}\r\n`);
  return `${written.join('')}--${BOUNDARY}--\r\n`;
}

const ASKED: Readonly<Record<string, Partial<Omit<DifferentialCase, 'name'>>>> = {
  'shape-object': { exchanges: everyShape },
  'shape-function': { form: 'function', exchanges: everyShape },
  'shape-app': { exchanges: everyShape },
  'shape-deno-serve': { form: 'deno', exchanges: everyShape },
  'shape-deno-serve-options': { form: 'deno', exchanges: everyShape },
  'shape-bun-serve': { form: 'bun', exchanges: everyShape },
  'shape-bun-routes': { form: 'bun', exchanges: [...everyShape, { path: '/users/ana/posts/7' }, { method: 'POST', path: '/users/ana/posts/7' }] },
  'shape-bun-static': { form: 'bun', exchanges: [{ path: '/static' }, { title: 'again', path: '/static' }], without: { workerd: 'makes no response outside of a request' } },
  'shape-listener': { form: 'listener', exchanges: everyShape },
  'shape-listener-async': { form: 'listener', exchanges: everyShape },
  'execution-context': { exchanges: [{ path: '/work', restMs: 100 }, { path: '/seen' }] },
  'request-incoming': {
    exchanges: [
      { path: '/a/b?c=d&e=%20f', headers: { 'x-one': '1', 'x-two': 'a, b' } }, { path: '/%7Euser/%2F/ü%20x'.replace('ü', '%C3%BC') }, { path: '//double//slash' }, { path: '/?' }, { path: '/dots/../up/./here' },
      { method: 'PUT', path: '/put', headers: json, body: '{}' }, { method: 'PATCH', path: '/patch', body: 'x' }, { method: 'DELETE', path: '/delete' }, { method: 'OPTIONS', path: '/options' },
      { method: 'POST', path: '/empty', headers: { 'content-length': '0' } }, { path: '/quotes?q=%22a%22&r=\'b\'&s=%3Cc%3E' },
    ],
  },
  'request-bodies': {
    exchanges: [
      { method: 'POST', path: '/text', headers: text, body: 'grüße' }, { method: 'POST', path: '/json', headers: json, body: '{"a":[1,2,{"b":null}]}' }, { method: 'POST', path: '/bytes', body: Uint8Array.of(0, 1, 254, 255) },
      { method: 'POST', path: '/blob', headers: { 'content-type': 'Image/PNG; a=b' }, body: 'png' }, { method: 'POST', path: '/form', headers: form, body: 'a=1&b=%C3%A9+x&a=2' }, { method: 'POST', path: '/broken-json', headers: json, body: '{' },
      { method: 'POST', path: '/twice', body: 'x' }, { method: 'POST', path: '/unread', body: 'never looked at' }, { path: '/none' }, { method: 'POST', path: '/chunks', body: ['one ', 'two ', 'three'] },
    ],
  },
  'status-answers': {
    exchanges: ['200', '201', '204', '205', '206', '301', '302', '303', '304', '307', '308', '400', '401', '404', '409', '418', '422', '429', '451', '500', '503'].map((status) => ({ path: `/${status}`, answerHeaders: ['location', 'x-status'] })),
  },
  'head-requests': {
    exchanges: [
      { path: '/text', answerHeaders: ['x-method'] }, { method: 'HEAD', path: '/text', answerHeaders: ['x-method'] }, { method: 'HEAD', path: '/stream', answerHeaders: ['x-method'] }, { method: 'HEAD', path: '/none', answerHeaders: ['x-method'] },
    ],
  },
  'answer-types': { exchanges: ['string', 'bytes', 'buffer', 'params', 'form', 'blob', 'blob-typed', 'stream', 'null', 'json', 'set-by-hand', 'view'].map((path) => ({ path: `/${path}` })) },
  redirects: { exchanges: [{ path: '/relative', answerHeaders: ['location'] }, { path: '/absolute', answerHeaders: ['location'] }, { path: '/see-other', answerHeaders: ['location'] }, { path: '/permanent', answerHeaders: ['location'] }] },
  cookies: { exchanges: [{ path: '/set', answerHeaders: ['set-cookie'] }, { path: '/several', answerHeaders: ['set-cookie'] }, { path: '/read', headers: { cookie: 'a=1; b="two"; c=%20' } }, { path: '/clear', answerHeaders: ['set-cookie'] }] },
  'answer-headers': { exchanges: [{ path: '/plain', answerHeaders: ['x-a', 'x-b', 'vary', 'cache-control', 'etag', 'link'] }, { path: '/latin', answerHeaders: ['x-latin'] }, { path: '/empty', answerHeaders: ['x-empty'] }] },
  'json-edges': { exchanges: [{}, { method: 'POST', path: '/echo', headers: json, body: '{"__proto__":{"x":1},"a":"\\u2028\\ud83d\\ude00","big":1e400,"dup":1,"dup":2}' }] },
  'upload-echo': {
    exchanges: [
      { method: 'POST', path: '/', headers: text, body: 'echo' }, { title: 'chunked', method: 'POST', path: '/', body: ['a', 'b', 'c'] }, { title: '300 kB', method: 'POST', path: '/', body: 'x'.repeat(300_000) },
      { title: 'bytes', method: 'POST', path: '/', body: Uint8Array.from({ length: 256 }, (_, i) => i) },
    ],
  },
  'upload-digest': { exchanges: [{ method: 'POST', path: '/', body: 'y'.repeat(700_000) }, { title: 'chunked', method: 'POST', path: '/', body: Array.from({ length: 20 }, (_, i) => String(i).repeat(5_000)) }] },
  'upload-lines': { exchanges: [{ method: 'POST', path: '/', body: ['first\nsec', 'ond\nthi', 'rd ☃\nlast'] }] },
  'upload-transform': { exchanges: [{ method: 'POST', path: '/', body: ['shout ', 'this ', 'ü'] }] },
  'big-bodies': { exchanges: [{ path: '/text' }, { path: '/bytes' }, { path: '/stream' }, { path: '/json' }] },
  'aborted-requests': { exchanges: [{ path: '/endless', leaveAfterBytes: 20, restMs: 300 }, { path: '/seen' }] },
  'broken-streams': { exchanges: [{ path: '/at-once' }, { path: '/later' }, { path: '/fine' }] },
  'multipart-upload': {
    exchanges: [
      { method: 'POST', path: '/', headers: multipart, body: multipartBody(['name="a"', '1'], ['name="b"; filename="b.txt"', 'text of b', 'text/plain'], ['name="a"', '2']) },
      { title: 'no type', method: 'POST', path: '/', headers: multipart, body: multipartBody(['name="f"; filename="x.bin"', 'x']) },
      { title: 'empty file name', method: 'POST', path: '/', headers: multipart, body: multipartBody(['name="f"; filename=""', '', 'application/octet-stream']) },
      { title: 'unicode', method: 'POST', path: '/', headers: multipart, body: multipartBody(['name="ключ"', 'значение'], ['name="f"; filename="☃.txt"', '☃', 'text/plain; charset=utf-8']) },
      { title: 'escaped', method: 'POST', path: '/', headers: multipart, body: multipartBody(['name="a%22b"', 'quote'], ['name="c%0D%0Ad"', 'lines']) },
      { title: 'lines in values', method: 'POST', path: '/', headers: multipart, body: multipartBody(['name="a"', 'one\r\ntwo\nthree'], ['name="b"', '']) },
      { title: 'no parts', method: 'POST', path: '/', headers: multipart, body: `--${BOUNDARY}--\r\n` },
      { title: 'cut short', method: 'POST', path: '/', headers: multipart, body: `--${BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1` },
      { title: 'no boundary', method: 'POST', path: '/', headers: { 'content-type': 'multipart/form-data' }, body: 'x' },
      { title: 'another type', method: 'POST', path: '/', headers: json, body: '{}' },
    ],
  },
  'server-sent-events': { exchanges: [{ answerHeaders: ['cache-control'] }, { path: '/resume', headers: { 'last-event-id': '3' } }] },
  'reported-errors': { alone: true },
  'thrown-errors': { exchanges: [{ path: '/caught' }, { path: '/response' }, { path: '/fine' }] },
  'content-negotiation': { exchanges: [{ headers: { accept: 'text/html, application/json;q=0.9, */*;q=0.1' } }, { title: 'language', headers: { 'accept-language': 'de-CH, de;q=0.9, en;q=0.5' } }] },
  'conditional-requests': { exchanges: [{ path: '/', answerHeaders: ['etag'] }, { title: 'matches', headers: { 'if-none-match': '"v1"' }, answerHeaders: ['etag'] }, { title: 'does not match', headers: { 'if-none-match': '"v0"' }, answerHeaders: ['etag'] }] },
  'range-requests': { exchanges: [{ path: '/' }, { title: 'first', headers: { range: 'bytes=0-4' }, answerHeaders: ['content-range'] }, { title: 'last', headers: { range: 'bytes=-3' }, answerHeaders: ['content-range'] }, { title: 'beyond', headers: { range: 'bytes=900-' }, answerHeaders: ['content-range'] }] },
  'url-router': { exchanges: ['/cards/42', '/cards/', '/cards/a%20b/items/7?x=1', '/nothing', '/files/a/b/c.txt'].map((path) => ({ path })) },
  'basic-authentication': { exchanges: [{ answerHeaders: ['www-authenticate'] }, { title: 'right', headers: { authorization: `Basic ${btoa('ana:secret')}` } }, { title: 'wrong', headers: { authorization: 'Basic !!' } }] },
  'signed-tokens': { exchanges: [{ path: '/sign' }, { path: '/verify', headers: { authorization: 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.bad' } }] },
};

export const CASES: readonly DifferentialCase[] = readdirSync(join(import.meta.dirname, 'functions'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length))
  .toSorted()
  .map((name) => ({ name, form: 'object', exchanges: GET, ...ASKED[name] }));

const unknown = Object.keys(ASKED).filter((name) => !CASES.some((one) => one.name === name));
if (unknown.length > 0) throw new Error(`requests for functions that are not there: ${unknown.join(', ')}`);
