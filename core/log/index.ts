// Structured logs: one pino logger a process, JSON lines on standard output; the supervisor passes them on with the process name.
import pino from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';

export type Logger = PinoLogger;

export interface LogOptions {
  /** Name of the process: `gateway`, `host-1`, … */
  readonly name: string;
  /** pino level; default `info`. */
  readonly level?: string;
  readonly destination?: DestinationStream;
}

/** Members that must never reach a log line, wherever a careless caller puts them. */
const REDACTED = ['token', 'secret', 'secrets', 'authorization', '*.token', '*.secret', '*.secrets', '*.authorization', 'headers.authorization', 'headers.cookie'];

export function createLogger(options: LogOptions): Logger {
  const settings = {
    name: options.name,
    level: options.level ?? 'info',
    base: { name: options.name, pid: process.pid },
    redact: { paths: REDACTED, censor: '[redacted]' },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  // Synchronous: a process may be killed at any moment, and its last line is the one that matters.
  return pino(settings, options.destination ?? pino.destination({ fd: 1, sync: true }));
}
