// The areas that one isolate has touched: each is made when its first operation is asked for.
import type { Invocation } from '../invocation.ts';
import { AREA_SHIFT } from './area.ts';
import type { AreaIsolate, OperationArea } from './area.ts';
import { AREAS } from './areas.ts';

export class IsolateAreas {
  readonly #isolate: AreaIsolate;
  /** By number. */
  readonly #made: (OperationArea | undefined)[] = [];

  constructor(isolate: AreaIsolate) {
    this.#isolate = isolate;
  }

  /** @throws TypeError  no area has this code */
  of(code: number): OperationArea {
    const index = code >>> AREA_SHIFT;
    const known = this.#made[index];
    if (known !== undefined) return known;
    const make = AREAS[index];
    if (make === undefined) throw new TypeError('unknown operation');
    return (this.#made[index] = make(this.#isolate));
  }

  release(owner: Invocation): void {
    for (const area of this.#made) area?.release?.(owner);
  }

  close(): void {
    for (const area of this.#made) area?.close?.();
  }
}
