// What the node remembers about its examples: the ports of their upstreams, and whether they are deployed.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { replaceFileSync } from '../core/files/index.ts';
import { freePort, probePort } from './port-probe.ts';

const port = z.int().min(1).max(65_535);
const portsSchema = z.strictObject({ products: port, users: port });
const stateSchema = z.strictObject({ ports: portsSchema, deployedWith: portsSchema.nullable() });

/** Loopback ports of the two upstream services. */
export type UpstreamPorts = z.infer<typeof portsSchema>;

export interface ExampleState {
  /** Where the upstreams listen in this life of the node. */
  readonly ports: UpstreamPorts;
  /** What the deployed `card` calls; null: the examples have not been deployed yet. */
  readonly deployedWith: UpstreamPorts | null;
}

/** Reads the state and keeps its ports, so that the deployed `card` stays right; chooses new ones when one is taken. */
export async function openExampleState(file: string): Promise<ExampleState> {
  const known = readState(file);
  if (known !== undefined && (await areFree(known.ports))) return known;
  const state: ExampleState = { ports: await chooseTwo(), deployedWith: known?.deployedWith ?? null };
  saveExampleState(file, state);
  return state;
}

export function saveExampleState(file: string, state: ExampleState): void {
  replaceFileSync(file, `${JSON.stringify(state)}\n`);
}

function readState(file: string): ExampleState | undefined {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // None yet, or damaged: the examples are deployed again, which leaves functions that are there alone.
    return undefined;
  }
}

async function areFree(ports: UpstreamPorts): Promise<boolean> {
  try {
    await probePort('127.0.0.1', ports.products, 'products');
    await probePort('127.0.0.1', ports.users, 'users');
    return true;
  } catch {
    return false;
  }
}

async function chooseTwo(): Promise<UpstreamPorts> {
  const products = await freePort();
  for (;;) {
    const users = await freePort();
    if (users !== products) return { products, users };
  }
}
