// Saturating load on many functions at random: wrk with a script that picks one for each request and looks at every answer.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONNECTIONS } from '../lib/load.ts';
import type { DensityCase } from './cases.ts';

const THREADS = 2;

/** A request as it goes on the wire. */
export function requestText({ name, kind }: DensityCase, port: number): string {
  const headers = Object.entries({ Host: `${name}.localhost:${port}`, ...kind.headers });
  return `GET ${kind.path} HTTP/1.1\r\n${headers.map(([field, value]) => `${field}: ${value}\r\n`).join('')}\r\n`;
}

/** JSON strings of printable ASCII with \r, \n and quotes are Lua strings. */
const lua = (texts: Iterable<string>): string => [...texts].map((text) => `${JSON.stringify(text)},\n`).join('');

// A response does not say in wrk which request it answers: the script checks that it is one of the right ones, and the bench's
// own client beside it (auditor.ts) that it is that of the function asked for.
const script = (cases: readonly DensityCase[], port: number, seed: number): string => `
local requests = {
${lua(cases.map((one) => requestText(one, port)))}}
local right = {}
for _, body in ipairs({
${lua(new Set(cases.map(({ body }) => body)))}}) do right[body] = true end
local count = #requests
local threads = {}
function setup(thread)
  thread:set("id", #threads + 1)
  table.insert(threads, thread)
end
function init()
  wrong = 0
  first = ""
  math.randomseed(${seed} * 1000 + id)
end
function request()
  return requests[math.random(count)]
end
function response(status, headers, body)
  if status ~= 200 or not right[body] then
    wrong = wrong + 1
    if first == "" then first = status .. " " .. string.sub(body, 1, 300) end
  end
end
function done()
  for _, thread in ipairs(threads) do
    if thread:get("wrong") > 0 then print("WRONG " .. thread:get("wrong") .. ", the first: " .. thread:get("first")) end
  end
end
`;

/**
 * One round.
 *
 * @param seed  the same seed asks for the same functions in the same order
 * @returns requests per second
 * @throws Error  an answer was not 200 with a right body, or a socket failed
 */
export async function randomLoad(cases: readonly DensityCase[], port: number, durationS: number, seed: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-wrk-'));
  try {
    const file = join(folder, 'random.lua');
    writeFileSync(file, script(cases, port, seed));
    const output = await new Promise<string>((resolve, reject) => {
      const child = spawn('wrk', [`-t${THREADS}`, `-c${CONNECTIONS}`, `-d${durationS}s`, '--timeout', '30s', '-s', file, `http://127.0.0.1:${port}/`], { stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.once('error', reject);
      child.once('close', () => resolve(text));
    });
    const perSec = Number(/^Requests\/sec:\s+([\d.]+)/m.exec(output)?.[1] ?? Number.NaN);
    if (!Number.isFinite(perSec) || /WRONG|Non-2xx|Socket errors/.test(output)) throw new Error(`random load on port ${port}:\n${output}`);
    return perSec;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
