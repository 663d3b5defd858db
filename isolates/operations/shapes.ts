// Area 8: what adapters and business functions ask about the function, the invocation and its log.
import { MAX_FIELDS_CHARACTERS, SHAPES } from '../runtime/abi-shapes.ts';
import type { Invocation } from '../invocation.ts';
import type { AreaIsolate, OperationArea } from './area.ts';

const LEVELS: ReadonlySet<unknown> = new Set(['debug', 'info', 'warn', 'error']);

export class ShapesArea implements OperationArea {
  readonly #isolate: AreaIsolate;

  constructor(isolate: AreaIsolate) {
    this.#isolate = isolate;
  }

  run(code: number, owner: Invocation, a: unknown, b: unknown, c: unknown, d: unknown): unknown {
    switch (code) {
      case SHAPES.about: {
        const { function: name, version, memoryMb, cpuMs } = owner.target.target;
        return `${name}\n${version}\n${memoryMb}\n${cpuMs}`;
      }
      case SHAPES.remaining:
        return Math.max(0, this.#invocation(a, owner).deadlineMs - this.#isolate.entryStartedMs);
      case SHAPES.log:
        if (!LEVELS.has(b) || typeof c !== 'string' || typeof d !== 'string' || d.length > 2 * MAX_FIELDS_CHARACTERS) throw new TypeError('no line of a log');
        this.#isolate.services.logs.write(this.#invocation(a, owner), b as string, c, d === '' ? null : d);
        return undefined;
      default:
        throw new TypeError('unknown operation');
    }
  }

  /** One that has ended is asked about by code that outlived it: who runs that code answers for it. */
  #invocation(id: unknown, owner: Invocation): Invocation {
    return this.#isolate.invocation(id) ?? owner;
  }
}
