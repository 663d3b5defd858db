// Installs the peers and the load generator into bench/ when they are not there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH } from './paths.ts';

/** @throws Error  npm could not install */
export function installPeers(): void {
  const { dependencies } = JSON.parse(readFileSync(join(BENCH, 'package.json'), 'utf8')) as { dependencies: Readonly<Record<string, string>> };
  if (Object.keys(dependencies).every((name) => existsSync(join(BENCH, 'node_modules', name, 'package.json')))) return;
  console.log('installing the peers into bench/ …');
  const npm = spawnSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: BENCH, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (npm.status !== 0) throw new Error(`npm install in bench/ failed:\n${npm.stderr}`);
}
