// What is counted and logged of an exchange.
import type { Fault } from '../core/errors/index.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { RequestInfo } from './exchange-phase.ts';
import type { Substitute } from './fallback/fallbacks.ts';
import type { VersionTarget } from './route.ts';
import type { FigureCell } from './version-figures.ts';

/** What of an exchange is written down. */
export interface Recorded {
  readonly request: RequestInfo;
  readonly target: VersionTarget;
  readonly cpuUs: number;
  readonly replays: number;
  readonly reason: string;
  readonly wasCold: boolean;
}

/** The books of a version: found once, instead of for each request. */
export function figuresOf({ figures }: Dispatcher, target: VersionTarget): FigureCell {
  const known = target.figures;
  if (known !== undefined && !known.dropped) return known;
  const cell = figures.cell(target.frame.function, target.frame.version);
  // There was no room for this version now; there may be later.
  if (cell !== figures.none) {
    cell.place = target.place;
    target.figures = cell;
  }
  return cell;
}

/**
 * The client has its answer, or will never have one: counts it, and logs it where there is room for its kind. Parameters in a row, since it is called
 * for every request.
 *
 * @param status  of the function's answer, or of the failure
 * @param code  '' for an answer
 */
export function recordEnd(dispatcher: Dispatcher, exchange: Recorded, status: number, code: string, detail: string | null, fault: Fault | undefined, substitute: Substitute | undefined): void {
  const { target, request: { requestId: request, method, path, peer, acceptedAtMs } } = exchange;
  const wallMs = performance.now() - acceptedAtMs;
  const figures = figuresOf(dispatcher, target);
  // The failure is what counts, whatever stood in for it: nobody who watches the function must take it for well.
  figures.answered(status, code, wallMs * 1_000);
  if (substitute !== undefined) figures.fellBack(substitute.kind);
  const { accessLog } = dispatcher;
  const isLogged = code === '' || code === 'client_gone' ? accessLog.sampled() || (exchange.wasCold && accessLog.hasRoom('cold_start')) : accessLog.hasRoom(code);
  if (!isLogged) return;
  accessLog.write({
    request, function: target.frame.function, version: target.frame.version, method, path, status: substitute?.status ?? status, code, wallMs, cpuMs: Math.max(0, exchange.cpuUs) / 1_000,
    replays: exchange.replays, client: peer, reason: exchange.reason, fallback: substitute?.kind ?? '', detail,
  }, fault);
}
