// The areas of operations by number. Their codes are defined beside the parts of the runtime that use them.
import type { AreaIsolate, OperationArea } from './area.ts';
import { BodyArea } from './body-area.ts';
import { ClockArea } from './clock-area.ts';

export { AREA_SHIFT } from './area.ts';
export type { AreaIsolate, OperationArea } from './area.ts';

/** Index: the area's number. 0 is the isolate's own. */
export const AREAS: readonly (((isolate: AreaIsolate) => OperationArea) | undefined)[] = [
  undefined, // 0: the isolate's own
  undefined,
  undefined,
  undefined,
  undefined,
  () => new BodyArea(), // 5: bodies
  undefined,
  (isolate) => new ClockArea(isolate), // 7: the clock
];
