// What a command of `thimble` is, beside running a node.

/** For a wrong command line, as shells use it. */
export const USAGE = 2;

export interface CommandIo {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Writes a line. */
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
}

export interface Command {
  /** One line for each form. */
  readonly usage: readonly string[];
  /** @returns the exit code: 0, 1: it failed, 2: it was called in a wrong way */
  readonly run: (args: readonly string[], io: CommandIo) => Promise<number>;
}
