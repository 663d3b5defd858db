// One life of one child process: spawn, messages, log lines, end.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { FromChild, ToChild } from '../core/config/index.ts';
import { ChildLog } from './child-log.ts';

export interface Command {
  /** Programs that change something of the process and become the next (supervisor/sandbox/); absent: none. */
  readonly prefix?: readonly string[];
  /** Flags of Node itself. */
  readonly nodeFlags: readonly string[];
  /** Path of the program's entry file. */
  readonly entry: string;
  /** Arguments that anybody may read: they show in the process list. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface LifeHandlers {
  onReady(): void;
  /** The program says why it cannot start; its end follows. */
  onFailed(code: string, message: string): void;
  /** Any other message of the program. */
  onMessage(message: FromChild): void;
  /** Exactly once, as soon as the kernel reports the end; log lines may still come after it. */
  onEnd(how: string): void;
  onJsonLine(line: string): void;
  onTextLine(text: string): void;
}

/** Descriptor of the journal in a child that gets one: 0 to 2 are the standard streams, 3 is the message channel. */
export const JOURNAL_FD = 4;

/** How long the log pipes of a dead process are read on: a grandchild may hold them open for ever. */
const LAST_WORDS_MS = 1_000;

export class ChildLife {
  readonly #child: ChildProcess;
  #handlers: LifeHandlers;
  #ended = false;

  /** @param journalFd  inherited as descriptor 4; the caller still closes its own */
  constructor(command: Command, journalFd: number | undefined, handlers: LifeHandlers) {
    this.#handlers = handlers;
    const [file = process.execPath, ...args] = [...(command.prefix ?? []), process.execPath, ...command.nodeFlags, command.entry, ...command.args];
    this.#child = spawn(file, args, {
      env: command.environment,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', ...(journalFd === undefined ? [] : [journalFd])],
      serialization: 'json',
    });
    this.#child.on('message', (message) => this.#onMessage(message as FromChild));
    this.#child.once('exit', (code, signal) => this.#onEnd(signal ?? `exit code ${code ?? 'unknown'}`));
    this.#child.on('error', (error: NodeJS.ErrnoException) => {
      // Also for a message that a dying process could not take; only a failed spawn has no pid and no exit event.
      if (this.#child.pid === undefined) this.#onEnd(error.code ?? error.message);
    });
    this.#readLog(this.#child.stdout);
    this.#readLog(this.#child.stderr);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** From now on these hear of it: the process has got another place. */
  handOver(handlers: LifeHandlers): void {
    this.#handlers = handlers;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Messages to a process that is just ending are lost, like those that it no longer reads. */
  send(message: ToChild): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  kill(): void {
    if (!this.#ended) this.#child.kill('SIGKILL');
  }

  #onMessage(message: FromChild): void {
    // A message may be read after the exit was seen; then it no longer counts.
    if (this.#ended) return;
    if (message.type === 'ready') this.#handlers.onReady();
    else if (message.type === 'failed') this.#handlers.onFailed(message.code, message.message);
    else this.#handlers.onMessage(message);
  }

  #onEnd(how: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#handlers.onEnd(how);
    setTimeout(() => {
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }, LAST_WORDS_MS).unref();
  }

  #readLog(stream: NodeJS.ReadableStream | null): void {
    if (stream === null) return;
    const log = new ChildLog((line) => this.#handlers.onJsonLine(line), (text) => this.#handlers.onTextLine(text));
    stream.on('data', (chunk: Buffer) => log.push(chunk));
    stream.on('error', () => {});
    stream.once('close', () => log.end());
  }
}
