// The areas of operations by number. Their codes are defined beside the parts of the runtime that use them.
import type { AreaIsolate, OperationArea } from './area.ts';
import { BodyArea } from './body-area.ts';
import { ClockArea } from './clock-area.ts';
import { compressionArea } from './compression.ts';
import { CryptoArea } from './crypto/crypto-area.ts';
import { encodingArea } from './encoding.ts';
import { ShapesArea } from './shapes.ts';

/** Index: the area's number. 0 is the isolate's own. */
export const AREAS: readonly (((isolate: AreaIsolate) => OperationArea) | undefined)[] = [
  undefined, // 0: the isolate's own
  encodingArea,
  (isolate) => new CryptoArea(isolate),
  compressionArea,
  undefined, // 4: caches
  () => new BodyArea(),
  undefined, // 6: messaging
  (isolate) => new ClockArea(isolate),
  (isolate) => new ShapesArea(isolate),
];
