// Records anew what Deno, Bun and workerd answer: `npm run test:differential [-- NAME …]` (with names: prints these, writes nothing).
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CASES } from './cases.ts';
import { observe } from './exchange.ts';
import type { Observation } from './exchange.ts';
import { startPeer } from './peers.ts';
import { PEERS, merge, writeRecord } from './record.ts';
import type { Answers, Peer } from './record.ts';

const HERE = import.meta.dirname;
const { dependencies } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8')) as { readonly dependencies: Readonly<Record<Peer, string>> };

if (!PEERS.every((peer) => existsSync(join(HERE, 'node_modules', '.bin', peer)))) {
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: HERE, stdio: 'inherit' });
}

const wanted = process.argv.slice(2);
const cases = CASES.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const observed = new Map<string, Map<Peer, Observation>>(cases.map(({ name }) => [name, new Map()]));

for (const peer of PEERS) {
  const able = cases.filter(({ without }) => without?.[peer] === undefined);
  for (const together of [able.filter(({ alone }) => alone !== true), ...able.filter(({ alone }) => alone === true).map((one) => [one])]) {
    if (together.length === 0) continue;
    const running = await startPeer(peer, together);
    try {
      for (const { name, exchanges } of together) {
        const port = running.ports.get(name);
        if (port === undefined) throw new Error(`${peer} does not serve ${name}`);
        observed.get(name)?.set(peer, await observe({ port }, exchanges));
      }
    } finally {
      await running.stop();
    }
  }
}

const answers = new Map<string, Answers>([...observed].map(([name, by]) => [name, merge(by)]));
if (wanted.length > 0) {
  console.log(JSON.stringify(Object.fromEntries(answers), null, 2));
} else {
  writeRecord(dependencies, answers);
  const facts = [...answers.values()].flatMap((recorded) => Object.values(recorded).flatMap((one) => Object.values(one)));
  console.log(`${answers.size} functions, ${facts.length} facts, ${facts.filter((fact) => typeof fact !== 'string').length} on which the peers differ`);
}
