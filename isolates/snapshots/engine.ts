// What snapshots and code caches of this process depend on.
import { cachedDataVersionTag } from 'node:v8';
import type { Engine } from '../../core/versions/index.ts';

/** Taken at the start: a host sets flags for moments. */
const TAG = cachedDataVersionTag();

/** @param platform  key of the platform in use */
export function thisEngine(platform: string): Engine {
  return { node: process.version, v8: process.versions.v8, arch: process.arch, tag: TAG, platform };
}

export function sameEngine(a: Engine, b: Engine): boolean {
  return a.node === b.node && a.v8 === b.v8 && a.arch === b.arch && a.tag === b.tag && a.platform === b.platform;
}
