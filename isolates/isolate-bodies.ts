// Bodies that one isolate may name by handle, and its reads of them: at once when the bytes are there, else by a later entry.
import { collect, toBuffer } from './bodies/incoming-body.ts';
import type { IncomingBody } from './bodies/incoming-body.ts';
import type { Invocation } from './invocation.ts';
import { ENTER } from './runtime/abi.ts';
import type { TenantIsolate } from './tenant-isolate.ts';

export class IsolateBodies {
  readonly #isolate: TenantIsolate;
  readonly #bodies = new Map<unknown, IncomingBody>();
  #lastHandle = 0;

  constructor(isolate: TenantIsolate) {
    this.#isolate = isolate;
  }

  /** @returns the handle, good until the owner has ended */
  add(body: IncomingBody, owner: Invocation): number {
    this.#lastHandle += 1;
    this.#bodies.set(this.#lastHandle, body);
    owner.handles ??= [];
    owner.handles.push(this.#lastHandle);
    return this.#lastHandle;
  }

  get(handle: unknown): IncomingBody | undefined {
    return this.#bodies.get(handle);
  }

  /** Nobody will read it any more. A read that still waits is settled, and that must not be an entry inside this one. */
  cancel(handle: unknown): void {
    const body = this.#bodies.get(handle);
    if (body !== undefined) setImmediate(() => body.abandon());
  }

  releaseOf(owner: Invocation): void {
    for (const handle of owner.handles ?? []) {
      this.#bodies.get(handle)?.abandon();
      this.#bodies.delete(handle);
    }
  }

  /** All that is left, as text or as an ArrayBuffer. @returns undefined when the operation settles later */
  whole(owner: Invocation, handle: unknown, operation: number, asText: boolean): unknown {
    const body = this.#bodies.get(handle);
    if (body === undefined) return this.#rejectSoon(owner, operation, 'bad_request', GONE);
    let now: unknown;
    let inside = true;
    collect(body, owner.target.target.memoryMb * 1_048_576, (bytes, error) => {
      if (bytes === null) {
        if (inside) this.#rejectSoon(owner, operation, String(error), bodyMessage(error));
        else this.#isolate.enter(owner, ENTER.settle, operation, 0, String(error), bodyMessage(error));
        return;
      }
      const value = asText ? withoutMark(bytes.toString('utf8')) : exact(bytes);
      if (inside) now = value;
      else this.#isolate.enter(owner, ENTER.settle, operation, 1, value, undefined);
    });
    inside = false;
    return now;
  }

  /** The next chunk as an ArrayBuffer, null at the end. @returns undefined when the operation settles later */
  read(owner: Invocation, handle: unknown, operation: number): unknown {
    const body = this.#bodies.get(handle);
    if (body === undefined) return this.#rejectSoon(owner, operation, 'bad_request', GONE);
    const chunk = body.take();
    if (chunk === undefined) {
      body.whenReadable(() => this.#settleRead(owner, operation, body));
      return undefined;
    }
    if (chunk !== null) return exact(toBuffer(chunk));
    return body.error === null ? null : this.#rejectSoon(owner, operation, body.error, bodyMessage(body.error));
  }

  #settleRead(owner: Invocation, operation: number, body: IncomingBody): void {
    const chunk = body.take();
    if (chunk !== null && chunk !== undefined) this.#isolate.enter(owner, ENTER.settle, operation, 1, exact(toBuffer(chunk)), undefined);
    else if (body.error === null) this.#isolate.enter(owner, ENTER.settle, operation, 1, null, undefined);
    else this.#isolate.enter(owner, ENTER.settle, operation, 0, body.error, bodyMessage(body.error));
  }

  // Not within the operation: that would be an entry inside an entry.
  #rejectSoon(owner: Invocation, operation: number, code: string, message: string): undefined {
    setImmediate(() => this.#isolate.enter(owner, ENTER.settle, operation, 0, code, message));
    return undefined;
  }
}

const GONE = 'the body is gone with its invocation';

function bodyMessage(error: string | null): string {
  switch (error) {
    case 'body_too_large':
      return 'the body is larger than the memory limit of the function: read it as a stream';
    case 'client_gone':
      return 'the client went away before the body ended';
    default:
      return 'the body broke off';
  }
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

/** An ArrayBuffer of just these bytes: what crosses is copied whole. */
export function exact(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  return byteLength === buffer.byteLength && buffer instanceof ArrayBuffer ? buffer : (buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
}
