// Has the platform snapshot built, in a short process of its own: building one aborts the process when it goes wrong.
import { spawn } from 'node:child_process';
import { z } from 'zod';
import type { Logger } from '../core/log/index.ts';
import type { Command } from './child-life.ts';

const lineSchema = z.object({ folder: z.string().min(1) });

/** A first build on a loaded machine takes seconds; without it hosts work too, so waiting longer is no gain. */
const BUILD_MS = 60_000;

/**
 * Runs the build program, whose last line on standard output is `{"folder": PATH}`. It reuses what an earlier start built for the same Node, V8 and runtime.
 *
 * @returns the snapshot's folder; null when the build failed: hosts then evaluate the runtime's source
 */
export async function buildPlatform(command: Command, logger: Logger, signal: AbortSignal): Promise<string | null> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...command.nodeFlags, command.entry, ...command.args], { env: command.environment, stdio: ['ignore', 'pipe', 'pipe'], timeout: BUILD_MS, killSignal: 'SIGKILL' });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const stop = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop);
  const how = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, killedBy) => resolve(killedBy ?? `exit code ${code ?? 'unknown'}`));
  });
  signal.removeEventListener('abort', stop);
  const buildMs = Math.round(performance.now() - startedAt);
  // With isolates alive an exit may crash, so the program ends itself by SIGKILL: what it printed last counts.
  const folder = how === 'exit code 0' || how === 'SIGKILL' ? parseFolder(Buffer.concat(output).toString('utf8')) : undefined;
  if (folder === undefined) {
    if (!signal.aborted) logger.warn({ how, buildMs, output: Buffer.concat([...output, ...errors]).toString('utf8').slice(-4_096) }, 'no platform snapshot: cold starts are slower');
    return null;
  }
  logger.info({ folder, buildMs }, 'the platform snapshot is there');
  return folder;
}

function parseFolder(output: string): string | undefined {
  try {
    return lineSchema.parse(JSON.parse(output.trim().split('\n').at(-1) ?? '')).folder;
  } catch {
    return undefined;
  }
}
