// Runs one of the programs that make snapshots: low priority, no network, bounds on memory and CPU time, and a bound on the time it may take.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { SnapshotPrograms } from '../../core/config/index.ts';
import { decodeMessages } from '../../core/versions/index.ts';
import type { DecodedMessage } from '../../core/versions/index.ts';

const MIB = 1_048_576;
/** RLIMIT_DATA: what a loaded Node takes, and a heap of a few hundred megabytes. */
const DATA_BYTES = 1_024 * MIB;
/** RLIMIT_CPU, seconds: a module has one second in a host, and is evaluated eight times here. */
const CPU_SECONDS = 20;
/** At the lowest priority on a busy machine. */
const WALL_MS = 60_000;
const OUTPUT_BYTES = 64 * MIB;
const ERROR_CHARACTERS = 2_048;
const PROBE_MS = 2_000;

/** It needs no files but to read, no other programs and no threads of its own. */
const PERMISSIONS = ['--permission', '--allow-addons', '--allow-fs-read=*'] as const;

export type ProgramEnd = 'ended' | 'timeout' | 'late' | 'died';

export interface ProgramOutput {
  /** `ended`: its last message is whole; `timeout`: of CPU time, so it would be again; `late`: of wall time, so the machine was busy. */
  readonly how: ProgramEnd;
  readonly messages: readonly DecodedMessage[];
  readonly errors: string;
}

const installed = (name: string): string | undefined => [`/usr/bin/${name}`, `/bin/${name}`].find((path) => existsSync(path));

/** The first of these command lines that works here. */
function firstThatWorks(lines: readonly (readonly string[])[]): readonly string[] {
  return lines.find(([file = '', ...args]) => {
    try {
      execFileSync(file, [...args, 'true'], { stdio: 'ignore', timeout: PROBE_MS });
      return true;
    } catch {
      return false;
    }
  }) ?? [];
}

interface Confinement {
  /** unshare(1) as far as the kernel lets this user: a network namespace with nothing in it. */
  readonly noNetwork: readonly string[];
  /** setpriv(1): no new privileges, and the end of this process is the program's end. */
  readonly privileges: readonly string[];
}
let found: Confinement | undefined;

function confinement(): Confinement {
  const unshare = installed('unshare');
  const setpriv = installed('setpriv');
  found ??= {
    noNetwork: firstThatWorks(unshare === undefined ? [] : [[unshare, '--net'], [unshare, '--map-root-user', '--net']]),
    privileges: firstThatWorks(setpriv === undefined ? [] : [[setpriv, '--no-new-privs', '--pdeathsig', 'KILL']]),
  };
  return found;
}

/** Whether programs run without a network here. */
export function hasNoNetwork(): boolean {
  return confinement().noNetwork.length > 0;
}

/**
 * What becomes the program, one after the other: each replaces itself, so that the process to kill stays the same.
 *
 * @param confined  what starts a program as the hosts of its tier are started; empty: what is found here, without a user of its own
 */
function commandLine(programs: SnapshotPrograms, entry: string, confined: readonly string[]): readonly string[] {
  const nice = installed('nice');
  const prlimit = installed('prlimit');
  const { noNetwork, privileges } = confinement();
  return [
    // Privileges last, also where they are given up already: a change of user would clear what ties the program to this process (prctl(2), PR_SET_PDEATHSIG).
    ...(confined.length > 0 ? confined : noNetwork), ...privileges,
    ...(nice === undefined ? [] : [nice, '-n', '19']),
    ...(prlimit === undefined ? [] : [prlimit, `--data=${DATA_BYTES}`, `--cpu=${CPU_SECONDS}:${CPU_SECONDS + 2}`, '--core=0']),
    process.execPath, ...programs.nodeFlags, ...PERMISSIONS, entry,
  ];
}

/** Never rejects. An abort of `signal` kills it. */
export function runProgram(programs: SnapshotPrograms, entry: string, input: Buffer, signal: AbortSignal, confined: readonly string[] = [], wallMs = WALL_MS): Promise<ProgramOutput> {
  const [file = '', ...args] = commandLine(programs, entry, confined);
  const child = spawn(file, args, { env: programs.environment, stdio: ['pipe', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  let bytes = 0;
  let errors = '';
  let late = false;
  const kill = (): void => void child.kill('SIGKILL');
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > OUTPUT_BYTES) kill();
    else output.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    if (errors.length < ERROR_CHARACTERS) errors += chunk.toString('utf8').slice(0, ERROR_CHARACTERS);
  });
  // It may die before it has read its job.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, wallMs);
  signal.addEventListener('abort', kill);
  return new Promise((resolve) => {
    const end = (killedBy: string | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
      let messages: readonly DecodedMessage[] = [];
      try {
        messages = decodeMessages(Buffer.concat(output));
      } catch (error) {
        errors += String(error);
      }
      const finished = isResult(messages.at(-1)?.json);
      resolve({ how: finished ? 'ended' : killedBy === 'SIGXCPU' ? 'timeout' : late ? 'late' : 'died', messages, errors });
    };
    child.once('error', (error) => {
      errors += error.message;
      end(null);
    });
    child.once('close', (_, killedBy) => end(killedBy));
  });
}

/** A program ends itself by SIGKILL, so that only its last message tells whether it has come to its end. */
function isResult(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'kind' in json && json.kind !== 'stage';
}
