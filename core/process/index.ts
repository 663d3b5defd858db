// What every child process of the supervisor does alike: take the boot message, say ready, drain when told or when the supervisor is gone.
import type { Boot, FromChild, ToChild } from '../config/index.ts';
import { toPlatformError } from '../errors/index.ts';
import { createLogger } from '../log/index.ts';
import type { Logger } from '../log/index.ts';

export interface ChildProgram {
  /** Finishes what runs and takes nothing new; resolves when the process may end, at the latest after `withinMs`. */
  drain(withinMs: number): Promise<void>;
  /** Messages other than boot and drain. */
  onMessage?(message: ToChild): void;
}

export interface ChildOptions {
  /** Ends the process. Default `process.exit`; a host ends itself with SIGKILL, since exit may crash with isolates alive. */
  readonly exit?: (code: number) => void;
  /** Title of the process until its boot message says its name. */
  readonly titleBefore?: string;
}

/** How long children may take to finish when nobody is left to wait for them: the rest of the node is gone within 2 s. */
const ORPHAN_DRAIN_MS = 1_000;

/**
 * Runs a child: waits for its boot message over the inherited IPC channel, starts the program, reports `ready`.
 *
 * @param kind  the boot message must be of this kind: a wrong one is a defect of the supervisor
 * @param start  its `say` reaches the supervisor, as long as there is one
 */
export async function runChild<K extends Boot['kind']>(
  kind: K,
  start: (boot: Extract<Boot, { kind: K }>, logger: Logger, say: (message: FromChild) => void) => Promise<ChildProgram>,
  options: ChildOptions = {},
): Promise<void> {
  const exit = options.exit ?? ((code: number) => process.exit(code));
  const say = (message: FromChild): void => {
    if (process.connected) process.send?.(message);
  };
  let program: ChildProgram | undefined;
  let ending = false;
  const end = async (withinMs: number): Promise<void> => {
    if (ending) return;
    ending = true;
    const late = setTimeout(() => exit(0), withinMs + 200);
    await program?.drain(withinMs);
    clearTimeout(late);
    exit(0);
  };
  // Terminals and service managers signal the whole group: the supervisor decides, the children wait for its word.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {
    if (!process.connected) void end(ORPHAN_DRAIN_MS);
  });
  process.on('disconnect', () => void end(ORPHAN_DRAIN_MS));
  if (options.titleBefore !== undefined) process.title = options.titleBefore;
  let logger = createLogger({ name: kind });
  const die = (thrown: unknown): void => {
    const error = toPlatformError(thrown);
    logger.fatal({ err: thrown, code: error.code }, 'the process ends');
    say({ type: 'failed', code: error.code, message: error.message });
    setTimeout(() => exit(1), 20);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
  const boot = await new Promise<Extract<Boot, { kind: K }>>((resolve, reject) => {
    process.on('message', (message: ToChild) => {
      switch (message.type) {
        case 'boot':
          if (message.boot.kind === kind) resolve(message.boot as Extract<Boot, { kind: K }>);
          else reject(new TypeError(`boot message for ${message.boot.kind}, not ${kind}`));
          break;
        case 'drain':
          void end(message.withinMs);
          break;
        default:
          program?.onMessage?.(message);
      }
    });
  });
  process.title = `thimble ${boot.name}`;
  logger = createLogger({ name: boot.name, level: boot.logLevel });
  try {
    program = await start(boot, logger, say);
    say({ type: 'ready' });
  } catch (thrown) {
    die(thrown);
  }
}
