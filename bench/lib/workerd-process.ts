// One workerd process: its config and modules in a folder of their own, and the ports that its sockets got.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { startChild, waitFor } from './child.ts';
import { BENCH } from './paths.ts';

export const COMPATIBILITY_DATE = '2025-11-01';

/** Text of Cap'n Proto has C's escapes; JSON's are a part of them for printable ASCII. */
export const quote = (text: string): string => JSON.stringify(text);

export interface WorkerdProcess {
  readonly pid: number;
  /** By the socket's name. */
  readonly ports: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

/**
 * @param config  text of the Cap'n Proto config; its embeds are paths in `folder`
 * @param sockets  how many sockets it has: they listen on port 0
 * @param prepare  writes the modules into the folder
 */
export async function startWorkerdProcess(config: string, sockets: number, prepare: (folder: string) => void): Promise<WorkerdProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-workerd-'));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  prepare(folder);
  writeFileSync(join(folder, 'config.capnp'), config);
  const { default: binary } = createRequire(join(BENCH, 'package.json'))('workerd') as { readonly default: string };
  // Descriptor 3: workerd tells there which port each socket got, one JSON object a line.
  const child = startChild(binary, ['serve', join(folder, 'config.capnp'), '--control-fd=3'], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const ports = new Map<string, number>();
  let line = '';
  (child.process.stdio[3] as Readable).on('data', (chunk: Buffer) => {
    const lines = (line + chunk.toString()).split('\n');
    line = lines.pop() ?? '';
    for (const text of lines) {
      const event = JSON.parse(text) as { readonly event: string; readonly socket?: string; readonly port?: number };
      if (event.event === 'listen' && event.socket !== undefined && event.port !== undefined) ports.set(event.socket, event.port);
    }
  });
  await waitFor('workerd', child, 30_000, () => ports.size === sockets);
  return {
    pid: child.pid,
    ports,
    async stop() {
      await child.stop();
      clean();
      process.off('exit', clean);
    },
  };
}
