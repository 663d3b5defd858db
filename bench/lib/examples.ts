// The examples as bench cases: their requests, their sources, and the bodies that every server must answer.
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { call } from './http.ts';
import { EXAMPLES } from './paths.ts';
import type { Origin } from './servers.ts';

export interface Example {
  readonly name: string;
  readonly method: 'GET' | 'POST';
  /** The same on every server. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** ASCII, so that its characters are its bytes for every load generator. */
  readonly body: string | undefined;
}

const ECHO_BODY = 'The quick brown fox jumps over the lazy dog. '.repeat(400);

const CASES: readonly Example[] = [
  { name: 'hello', method: 'GET', path: '/hello', headers: {}, body: undefined },
  { name: 'json', method: 'GET', path: '/json?name=Ada', headers: { 'user-agent': 'thimble-bench' }, body: undefined },
  { name: 'card', method: 'GET', path: '/cards/42', headers: {}, body: undefined },
  { name: 'stream', method: 'GET', path: '/stream', headers: {}, body: undefined },
  { name: 'echo', method: 'POST', path: '/echo', headers: { 'content-type': 'text/plain' }, body: ECHO_BODY },
];

export const EXAMPLE_NAMES: readonly string[] = CASES.map(({ name }) => name);

/** @param names  undefined: all */
export function pickExamples(names: readonly string[] | undefined): readonly Example[] {
  return names === undefined ? CASES : CASES.filter(({ name }) => names.includes(name));
}

export function requestHeaders(origin: Origin, example: Example): Readonly<Record<string, string>> {
  return origin.host === undefined ? example.headers : { ...example.headers, Host: origin.host };
}

const folderOf = (name: string): string => join(EXAMPLES, name, 'function');

/** `thimble.json` of an example names the main file of its `function/` folder. */
function mainOf(name: string): string {
  const { main } = JSON.parse(readFileSync(join(EXAMPLES, name, 'thimble.json'), 'utf8')) as { readonly main: string };
  return main;
}

export function mainFile(name: string): string {
  return join(folderOf(name), mainOf(name));
}

export interface UploadBody {
  readonly files: Readonly<Record<string, string>>;
  readonly main: string;
}

/** The example as an upload. `mark` makes its code differ from any other mark's, and nothing else. */
export function uploadOf(example: Example, mark: string): UploadBody {
  const folder = folderOf(example.name);
  const main = mainOf(example.name);
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = Object.fromEntries(paths.map((path) => [relative(folder, path), readFileSync(path, 'utf8')]));
  files[main] += `\nexport const benchMark = ${JSON.stringify(mark)};\n`;
  return { files, main };
}

interface FetchModule {
  readonly default: { fetch(request: Request, env: Readonly<Record<string, string>>, ctx: object): Response | Promise<Response> };
}

/** Runs `make` with nothing printed: examples log what they do. */
async function quietly<T>(make: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = () => {};
  try {
    return await make();
  } finally {
    console.log = log;
  }
}

/** Runs the example's own source in this process: what plain Node answers is what every server must answer, byte for byte. */
export async function expectedBody(example: Example, env: Readonly<Record<string, string>>): Promise<string> {
  const module = (await import(pathToFileURL(mainFile(example.name)).href)) as FetchModule;
  const init = { method: example.method, headers: { ...example.headers }, ...(example.body === undefined ? {} : { body: example.body }) };
  return await quietly(async () => {
    const response = await module.default.fetch(new Request(`http://127.0.0.1${example.path}`, init), env, { waitUntil: () => {} });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`the source of ${example.name} answered ${response.status} in plain Node: ${text}`);
    return text;
  });
}

/** @throws Error  the server does not answer 200 with exactly this body */
export async function verifyAnswer(origin: Origin, example: Example, expectBody: string): Promise<void> {
  const { status, body } = await call({
    port: origin.port,
    method: example.method,
    path: example.path,
    headers: requestHeaders(origin, example),
    ...(example.body === undefined ? {} : { body: example.body }),
  });
  if (status !== 200 || body !== expectBody) {
    throw new Error(`${origin.server} answers ${example.name} with ${status} and ${body.length} characters, not 200 and ${expectBody.length}:\n${body.slice(0, 500)}`);
  }
}
