// Which hosts a function prefers when nothing else is known.
import { hashToUnit } from '../core/routing/index.ts';

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): a host that comes or goes moves only its own share of the functions.
 *
 * @returns the `count` most preferred ones, the first first
 */
export function preferred<T extends { readonly name: string }>(fn: string, hosts: readonly T[], count: number): T[] {
  const places = hosts.map((host) => ({ host, place: hashToUnit(`${host.name}/${fn}`) }));
  return places.toSorted((a, b) => b.place - a.place).slice(0, count).map(({ host }) => host);
}
