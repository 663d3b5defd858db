// The commands of `thimble` beside running a node, one file each. bin/thimble hands over what it does not know itself.
import { USAGE } from './command.ts';
import type { Command, CommandIo } from './command.ts';

/** Loaded when they are called: a node must not hold what only commands need. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  audit: async () => (await import('./audit.ts')).audit,
  backup: async () => (await import('./backup.ts')).backup,
  restore: async () => (await import('./backup.ts')).restore,
};

/** @returns the exit code */
export async function runCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const [name = '', ...rest] = args;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return (await command()).run(rest, io);
  io.error(`thimble: there is no command "${name}"; see thimble --help`);
  return USAGE;
}
