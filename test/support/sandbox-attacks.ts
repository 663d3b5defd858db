// Stands where a host would and tries what a tenant would after an escape from its isolate: one line of JSON, attempt by attempt, then it waits.
// Plain Node without imports of ours: the permission model lets it read this file and nothing else.
import { spawn } from 'node:child_process';
import { openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';

const [, , supervisorPid = '', folder = '', unixSocket = ''] = process.argv;

function outcome(attempt: () => unknown): string {
  try {
    attempt();
    return 'done';
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code ?? String(thrown);
  }
}

async function connected(target: { readonly host: string; readonly port: number } | { readonly path: string }): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(target);
    socket.setTimeout(3_000, () => resolve('TIMEOUT'));
    socket.once('connect', () => resolve('done'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function started(): Promise<string> {
  try {
    const child = spawn('/bin/true');
    return await new Promise((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      child.once('exit', () => resolve('done'));
    });
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code ?? String(thrown);
  }
}

/** Touches memory that V8 does not count until it is refused, 1 GiB at the most. */
function nativeFlood(): string {
  const kept: Buffer[] = [];
  for (let megabytes = 0; megabytes < 1_024; megabytes += 16) {
    const refused = outcome(() => kept.push(Buffer.alloc(16 * 1_048_576, 1)));
    if (refused !== 'done') return `refused after ${megabytes}`;
  }
  return 'done';
}

const interfaces = Object.keys(networkInterfaces());
process.stdout.write(`${JSON.stringify({
  uid: process.getuid?.(),
  readsPasswd: outcome(() => readFileSync('/etc/passwd')),
  readsThroughProc: outcome(() => readFileSync('/proc/self/root/etc/passwd')),
  lists: outcome(() => readdirSync('/')),
  writes: outcome(() => writeFileSync(`${folder}/written`, 'x')),
  writesToKernel: outcome(() => openSync('/proc/sys/kernel/core_pattern', 'r+')),
  spawns: await started(),
  // The checks of ptrace(2): attach to write its memory, read to see its environment.
  writesMemory: outcome(() => openSync(`/proc/${supervisorPid}/mem`, 'r+')),
  readsEnvironment: outcome(() => readFileSync(`/proc/${supervisorPid}/environ`)),
  signals: outcome(() => process.kill(Number(supervisorPid), 0)),
  bindsInternals: outcome(() => (process as unknown as { binding(name: string): unknown }).binding('fs')),
  interfaces,
  // Only where nothing can leave the machine.
  loopback: interfaces.length === 0 ? await connected({ host: '127.0.0.1', port: 9 }) : 'not tried',
  private: interfaces.length === 0 ? await connected({ host: '10.255.255.1', port: 9 }) : 'not tried',
  unixSocket: await connected({ path: unixSocket }),
  flood: nativeFlood(),
  // The last: what comes after it would be refused for another reason.
  becomesOther: outcome(() => process.setuid?.(12_345)),
})}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
