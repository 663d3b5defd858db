// What tests of figures and alerts share: increments as a gateway makes them, and frames that carry them.
import type { GatewayFigures, VersionFigures } from '../../core/protocol/index.ts';
import { FigureCell } from '../../gateway/version-figures.ts';

/** A whole minute. */
export const T0 = 1_800_000_000_000;

const NODE: GatewayFigures['node'] = { inFlight: 0, queued: 0, clients: 0, revision: 0, tableAgeMs: 0, replays: 0, residentBytes: 0, slowVersions: 0, laneChanges: { slow: 0, fast: 0 }, spreadVersions: 0, homeChanges: { spread: 0, shrink: 0, move: 0 } };

/** Increments as a gateway's cell makes them: `ok` answers, and failures by code. */
export function increments(fn: string, version: number, ok: number, failures: Readonly<Record<string, number>> = {}, wallUs = 1_000): VersionFigures {
  const cell = new FigureCell(fn, version);
  for (let i = 0; i < ok; i++) cell.answered(200, '', wallUs);
  for (const [code, n] of Object.entries(failures)) for (let i = 0; i < n; i++) cell.answered(503, code, wallUs);
  if (cell.dirty) cell.cpu(wallUs / 10);
  return cell.take();
}

export function gatewayFrame(span: readonly [fromMs: number, toMs: number], versions: readonly VersionFigures[]): GatewayFigures {
  return { kind: 'gateway', span: [...span], versions: [...versions], node: NODE };
}
