// Which hosts a function prefers when nothing else is known: rendezvous hashing (Thaler and Ravishankar, 1998). A host that comes or goes moves only
// its own share of the functions.
import { hashToUnit } from '../core/routing/index.ts';

/** How much the function prefers the host, 0 to 1. */
export function preference(host: { readonly name: string }, fn: string): number {
  return hashToUnit(`${host.name}/${fn}`);
}

/** All of them, the most preferred one first. */
export function byPreference<T extends { readonly name: string }>(hosts: readonly T[], fn: string): T[] {
  return hosts.map((host) => ({ host, place: preference(host, fn) })).toSorted((a, b) => b.place - a.place).map(({ host }) => host);
}
