// Links without a connection, for tests of the choice of hosts: they keep the same books as real ones, and show what was dropped.
import { groupOfHost } from '../../core/config/index.ts';
import type { HostLink } from '../../gateway/host-link.ts';
import type { VersionTarget } from '../../gateway/route.ts';
import { VersionPlace } from '../../gateway/version-place.ts';

export class FakeLink {
  readonly name: string;
  readonly group: string;
  inFlight = 0;
  invoked = 0;
  aheadUs = 0;
  draining = false;
  load = { isolates: 0, running: 0, residentBytes: 0, busy: 0 };
  /** Versions that have an isolate there. */
  readonly warm = new Set<VersionTarget>();
  coldStarts = 0;

  constructor(name: string) {
    this.name = name;
    this.group = groupOfHost(name);
  }

  get link(): HostLink {
    return this as unknown as HostLink;
  }

  targets(): IterableIterator<VersionTarget> {
    return this.warm.values();
  }

  drop(target: VersionTarget): void {
    this.warm.delete(target);
  }

  forgetTargets(): void {
    this.warm.clear();
  }

  /** An invocation begins. @returns how it ends */
  run(place: VersionPlace): () => void {
    if (place.target !== undefined && !this.warm.has(place.target)) {
      this.warm.add(place.target);
      this.coldStarts += 1;
    }
    const { meanCpuUs } = place;
    this.inFlight += 1;
    this.invoked += 1;
    this.aheadUs += meanCpuUs;
    place.inFlight += 1;
    return () => {
      this.inFlight -= 1;
      this.aheadUs -= meanCpuUs;
      place.inFlight -= 1;
    };
  }
}

/** A version that has run: hosts may be told to drop it. */
export function fakePlace(name: string, meanCpuUs = 500): VersionPlace {
  const place = new VersionPlace(name, 1);
  place.meanCpuUs = meanCpuUs;
  place.target = { place } as unknown as VersionTarget;
  return place;
}
