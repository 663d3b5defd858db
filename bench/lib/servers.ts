// The servers under test: each serves the same requests with the same bytes.
import type { Example } from './examples.ts';

export const SERVER_NAMES = ['thimble', 'fastify', 'workerd'] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** Where one example is served. */
export interface Origin {
  readonly server: ServerName;
  readonly port: number;
  /** Host header that finds the function; undefined: the address itself. */
  readonly host: string | undefined;
}

export interface BenchServer {
  readonly name: ServerName;
  origin(example: Example): Origin;
  /** CPU time of all its processes so far. */
  cpuMs(): number;
  residentBytes(): number;
  stop(): Promise<void>;
}

/** Order of the servers in a round: rotated, and turned around in every second round, so that no server always runs after the same one. */
export function roundOrder<T>(servers: readonly T[], round: number): T[] {
  const shift = round % servers.length;
  const rotated = [...servers.slice(shift), ...servers.slice(0, shift)];
  return round % 2 === 0 ? rotated : rotated.reverse();
}
