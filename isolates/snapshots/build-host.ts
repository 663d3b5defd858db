// The host of a module that is built: answers what follows from the arguments alone, and notes everything else that is asked for.
import { CLOCK } from '../runtime/abi-clock.ts';
import { ENCODING_OP } from '../runtime/abi-encoding.ts';
import { OP } from '../runtime/abi.ts';
import { operationKey } from '../runtime/abi-snapshots.ts';
import type { RecordedAnswer } from '../runtime/abi-snapshots.ts';
import { encodingArea } from '../operations/encoding.ts';
import { pureOperation } from '../operations/pure.ts';
import type { Vm } from '../vm.ts';

/** Answers that are told again while the snapshot is made, characters and bytes; a module that asks for more touches the host. */
const MAX_ANSWERS = 262_144;

type Touch = 'fetch' | 'timer' | 'random' | 'clock' | 'host';

const TOUCHES: Readonly<Record<number, Touch>> = {
  [OP.fetch]: 'fetch', [OP.cancel]: 'fetch', [OP.sinkWrite]: 'fetch', [OP.sinkEnd]: 'fetch', [OP.sinkError]: 'fetch',
  [OP.timerStart]: 'timer', [OP.timerClear]: 'timer',
  [OP.random]: 'random', [OP.uuid]: 'random',
  [CLOCK.epochMs]: 'clock', [CLOCK.elapsedMs]: 'clock', [CLOCK.originMs]: 'clock',
};

const PURE: readonly number[] = [OP.url, OP.urlSet, OP.utf8Encode, OP.utf8Decode];
const ENCODINGS: readonly number[] = [ENCODING_OP.label, ENCODING_OP.base64Encode, ENCODING_OP.base64Decode];

export class BuildHost {
  readonly touched = new Set<Touch>();
  /** Parts in the order in which they were asked for. */
  readonly parts: string[] = [];
  readonly #answers = new Map<string, RecordedAnswer>();
  readonly #encoding = encodingArea();
  readonly #vm: Vm;
  #size = 0;

  constructor(vm: Vm) {
    this.#vm = vm;
    vm.attach((code, a, b, c, d, e, f) => this.#operation(code, a, b, c, d, e, f));
  }

  get answers(): readonly RecordedAnswer[] {
    return [...this.#answers.values()];
  }

  #operation(code: number, a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown): unknown {
    if (code === OP.lazy) {
      this.#vm.runLazy(String(a));
      this.parts.push(String(a));
      return undefined;
    }
    // Said at every evaluation from source; a snapshot says it to nobody.
    if (code === OP.log) return undefined;
    if (PURE.includes(code)) return this.#told(code, a, b, c, pureOperation(code, a, b, c));
    if (ENCODINGS.includes(code)) return this.#told(code, a, b, c, this.#encoding.run(code, undefined as never, a, b, c, d, e, f));
    this.touched.add(TOUCHES[code] ?? 'host');
    if (code === OP.random || code === OP.uuid) return pureOperation(code, a, b, c);
    // Whatever it answers: a module that has asked gets no snapshot.
    if (TOUCHES[code] === 'clock') return Math.floor(performance.timeOrigin);
    throw new TypeError('the host can not be asked while a version is built');
  }

  #told(code: number, a: unknown, b: unknown, c: unknown, answer: unknown): unknown {
    const key = operationKey(code, a, b, c);
    const told = typeof answer === 'string' ? { text: answer } : answer === undefined ? {} : answer instanceof Uint8Array || answer instanceof ArrayBuffer ? { bytes: [...new Uint8Array(answer as ArrayBuffer)] } : undefined;
    this.#size += (key?.length ?? 0) + (told?.text?.length ?? 0) + (told?.bytes?.length ?? 0);
    if (key === undefined || told === undefined || this.#size > MAX_ANSWERS) this.touched.add('host');
    else this.#answers.set(key, { key, ...told });
    return answer;
  }
}
