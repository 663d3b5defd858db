// One `fetch`: its hops, and the handler that undici calls for each of them. One object, no closures on the usual path.
import type { Dispatcher } from 'undici';
import { PlatformError } from '../../../core/errors/index.ts';
import { hasNoBody, isIdempotent } from '../../../core/http/index.ts';
import { INLINE_BODY_BYTES } from '../../../core/protocol/index.ts';
import { refused } from '../../egress/index.ts';
import type { CheckedTarget, EgressGuard } from '../../egress/index.ts';
import type { Call, CallTask } from '../../engine/index.ts';
import { BodyDecoder, codingOf, decodeNow } from './codings.ts';
import type { Coding, DecodeLimits, DecoderEvents } from './codings.ts';
import { failureWhy, isStaleConnection } from './failures.ts';
import type { FailureWhy } from './failures.ts';
import type { OriginPool, Slot, SlotUser } from './origin-pool.ts';
import type { Pools } from './pools.ts';
import { isRedirect, nextHop } from './redirects.ts';
import { parseRequestHead } from './request-head.ts';
import type { RedirectMode } from './request-head.ts';
import { firstValue, joinedValue, replyHead, shownUrl } from './response-head.ts';
import type { ResponseHeaders } from './response-head.ts';
import { UploadBody } from './upload.ts';

export interface FetchServices {
  readonly guard: EgressGuard;
  readonly pools: Pools;
  readonly decodeLimits: DecodeLimits;
  /** Asks for `settle` at the end of this loop turn: by then a small body is usually there. */
  hold(fetch: FetchCall): void;
}

/**
 * Where the call is. `check`: before a slot is asked for. `wait`: for a slot. `sent`: no response head yet. `hold`: the head is there, the
 * reply is not sent. `stream`: the reply's body flows. `skip`: a redirect's own body passes by. `over`: finished.
 */
type Phase = 'check' | 'wait' | 'sent' | 'hold' | 'stream' | 'skip' | 'over';

/** A redirect's body is read to keep the connection, up to this. */
const SKIP_BYTES = 64 * 1_024;

/** Logs what the egress policy refused, and nothing else. The host, never path or query: those may hold secrets. */
export function logRefusal(call: Call, error: PlatformError, host: string): void {
  if (error.code !== 'egress_refused') return;
  const { rule } = (error as PlatformError<'egress_refused'>).params;
  call.log('warn', `fetch refused: ${rule}`, { code: error.code, rule, host: host.slice(0, 256), tenant: call.tenant });
}

export class FetchCall implements CallTask, SlotUser, DecoderEvents, Dispatcher.DispatchHandler {
  readonly #call: Call;
  readonly #services: FetchServices;
  readonly #redirect: RedirectMode;
  #phase: Phase = 'check';
  #method: string;
  #url: URL;
  #headers: string[];
  #body: Buffer | string | null;
  /** The streamed request body; undefined when there is none, or a redirect has dropped it. */
  #upload: UploadBody | undefined;
  #redirects = 0;
  #retried = false;
  #pool: OriginPool | undefined;
  #slot: Slot | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  // --- the response
  #status = 0;
  #reason = '';
  #responseHeaders: ResponseHeaders = {};
  #coding: Coding | undefined;
  #decoder: BodyDecoder | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #location = '';

  /** @throws protocol_violation, egress_refused */
  constructor(call: Call, services: FetchServices) {
    const head = parseRequestHead(call.head, call.traceparent);
    const url = URL.parse(head.url);
    this.#call = call;
    this.#services = services;
    this.#method = head.method;
    this.#redirect = head.redirect;
    this.#headers = head.headers;
    this.#body = call.body instanceof Uint8Array ? Buffer.from(call.body.buffer, call.body.byteOffset, call.body.byteLength) : call.body;
    this.#upload = call.streamed ? new UploadBody(call) : undefined;
    if (url === null) throw refused('url');
    this.#url = url;
  }

  begin(): void {
    this.#hop();
  }

  // --- CallTask

  bodyData(bytes: Uint8Array): void {
    this.#upload?.push(bytes);
  }

  bodyEnd(): void {
    this.#upload?.push(null);
  }

  resume(): void {
    if (this.#phase !== 'stream') return;
    if (this.#decoder === undefined) this.#controller?.resume();
    else this.#decoder.resume();
  }

  abort(): void {
    if (this.#phase === 'over') return;
    this.#letGo();
  }

  // --- SlotUser

  useSlot(slot: Slot, pool: OriginPool): void {
    this.#phase = 'sent';
    this.#slot = slot;
    this.#pool = pool;
    const { pathname, search } = this.#url;
    slot.client.dispatch(
      {
        path: pathname + search,
        method: this.#method,
        headers: this.#headers,
        body: this.#upload ?? this.#body,
      },
      this,
    );
  }

  // --- undici's handler. After a hop was discarded its client may still speak: only the current controller is listened to.

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
  }

  onBodySent(chunk: Uint8Array): void {
    if (this.#upload !== undefined) this.#call.consumed(chunk.length);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders, reason?: string): void {
    // 1xx: informational (103 Early Hints); fetch shows none of them.
    if (controller !== this.#controller || this.#phase !== 'sent' || status < 200) return;
    if (status > 599) {
      this.#fail('bad_response');
      return;
    }
    this.#status = status;
    this.#reason = reason ?? '';
    this.#responseHeaders = headers;
    const location = firstValue(headers['location']);
    if (location !== undefined && this.#redirect !== 'manual' && isRedirect(status)) {
      if (this.#redirect === 'error') {
        this.#fail('redirect');
        return;
      }
      this.#location = location;
      this.#phase = 'skip';
      return;
    }
    this.#coding = this.#method === 'HEAD' || hasNoBody(status) ? undefined : codingOf(joinedValue(headers['content-encoding']));
    this.#phase = 'hold';
    this.#services.hold(this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (controller !== this.#controller) return;
    switch (this.#phase) {
      case 'hold':
        this.#held.push(chunk);
        this.#heldBytes += chunk.length;
        if (this.#heldBytes > INLINE_BODY_BYTES) this.settle();
        return;
      case 'stream':
        if (!(this.#decoder ?? this.#call).write(chunk)) controller.pause();
        return;
      case 'skip':
        this.#heldBytes += chunk.length;
        if (this.#heldBytes > SKIP_BYTES) this.#follow(false);
        return;
      default:
    }
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (controller === this.#controller) this.#onEnd();
  }

  #onEnd(): void {
    switch (this.#phase) {
      case 'hold':
        this.#replyWhole();
        return;
      case 'stream':
        if (this.#decoder === undefined) {
          this.#finish();
          this.#call.end();
        } else {
          // What is left comes out of the decoder; the connection is free.
          this.#releaseSlot();
          this.#decoder.end();
        }
        return;
      case 'skip':
        this.#follow(true);
        return;
      default:
    }
  }

  onResponseError(controller: Dispatcher.DispatchController | null | undefined, error: Error): void {
    // A request that never reached a socket has no controller.
    if ((controller ?? undefined) !== this.#controller || this.#phase === 'over' || this.#slot === undefined) return;
    const reused = this.#slot.used > 0;
    if (this.#phase === 'sent' && reused && !this.#retried && this.#upload === undefined && isIdempotent(this.#method) && isStaleConnection(error)) {
      // RFC 9112 section 9.3.1: an idempotent request may be sent again when the connection closed before its response began.
      this.#retried = true;
      this.#discardSlot();
      this.#hop();
      return;
    }
    if (error instanceof PlatformError) this.#failWith(error);
    else this.#fail(failureWhy(error));
  }

  // --- DecoderEvents

  onDecoded(bytes: Buffer): void {
    if (!this.#call.write(bytes)) this.#decoder?.pause();
  }

  onDrain(): void {
    this.#controller?.resume();
  }

  onDecodedEnd(): void {
    this.#finish();
    this.#call.end();
  }

  onDecodeError(bomb: boolean): void {
    this.#fail(bomb ? 'body_too_large' : 'bad_response');
  }

  /** The loop turn in which the head came is over: a reply that is still held goes out as a stream. */
  settle(): void {
    if (this.#phase !== 'hold') return;
    const head = this.#replyHead();
    if (head === undefined) return;
    const held = this.#held;
    this.#held = [];
    this.#phase = 'stream';
    this.#call.replyStream(head);
    if (this.#coding !== undefined) this.#decoder = new BodyDecoder(this.#coding, this.#services.decodeLimits, this);
    const sink = this.#decoder ?? this.#call;
    let open = true;
    for (const chunk of held) open = sink.write(chunk);
    if (!open) this.#controller?.pause();
  }

  // --- hops

  #hop(): void {
    this.#phase = 'check';
    const { guard, pools } = this.#services;
    const { tenant } = this.#call;
    const url = this.#url;
    try {
      // The origin leaves the user information out: a URL that has some must not find a pool before it is checked.
      const plain = url.username === '' && url.password === '';
      let pool = plain ? pools.fresh(tenant, url.origin) : undefined;
      if (pool === undefined) {
        const target = guard.checkNow(url);
        if (target === undefined) {
          guard.checkName(url, tenant).then(
            (checked) => this.#pinned(checked),
            (thrown: unknown) => this.#failWith(thrown),
          );
          return;
        }
        pool = pools.pin(tenant, url.origin, target);
      }
      this.#enter(pool);
    } catch (thrown) {
      this.#failWith(thrown);
    }
  }

  #pinned(target: CheckedTarget): void {
    if (this.#phase !== 'check') return;
    try {
      this.#enter(this.#services.pools.pin(this.#call.tenant, this.#url.origin, target));
    } catch (thrown) {
      this.#failWith(thrown);
    }
  }

  #enter(pool: OriginPool): void {
    this.#phase = 'wait';
    this.#pool = pool;
    pool.enter(this);
  }

  /** @param whole  the redirect's response was read to its end, so its connection can be used again */
  #follow(whole: boolean): void {
    const hop = nextHop({
      status: this.#status, location: this.#location, method: this.#method, url: this.#url, headers: this.#headers,
      hasBody: this.#upload !== undefined || this.#body !== null, streamed: this.#upload !== undefined, count: this.#redirects,
    });
    this.#heldBytes = 0;
    if (typeof hop === 'string') {
      this.#fail(hop);
      return;
    }
    if (whole) this.#releaseSlot();
    else this.#discardSlot();
    this.#redirects += 1;
    this.#retried = false;
    this.#method = hop.method;
    this.#url = hop.url;
    this.#headers = hop.headers;
    if (!hop.keepsBody) {
      this.#body = null;
      this.#upload?.destroy();
      this.#upload = undefined;
    }
    this.#hop();
  }

  // --- the reply

  #replyHead(): string | undefined {
    const head = replyHead(this.#status, shownUrl(this.#url), this.#redirects > 0, this.#responseHeaders, this.#coding !== undefined, this.#reason);
    if (head === undefined) this.#fail('bad_response');
    return head;
  }

  #replyWhole(): void {
    let body = this.#heldBytes === 0 ? null : this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held, this.#heldBytes);
    if (body !== null && this.#coding !== undefined) {
      try {
        const decoded = decodeNow(this.#coding, body, INLINE_BODY_BYTES);
        if (decoded === undefined) {
          this.settle();
          this.#onEnd();
          return;
        }
        body = decoded.length === 0 ? null : decoded;
      } catch {
        this.#fail('bad_response');
        return;
      }
    }
    const head = this.#replyHead();
    if (head === undefined) return;
    this.#finish();
    this.#call.reply(head, body);
  }

  // --- the end

  #fail(why: FailureWhy): void {
    if (this.#phase === 'over') return;
    this.#letGo();
    this.#call.fail('upstream_failed', { why });
  }

  #failWith(thrown: unknown): void {
    if (this.#phase === 'over') return;
    this.#letGo();
    if (!(thrown instanceof PlatformError)) {
      this.#call.fail('internal', undefined);
      return;
    }
    const error: PlatformError = thrown;
    logRefusal(this.#call, error, this.#url.host);
    this.#call.fail(error.code, error.params);
  }

  /** The response is whole: the connection goes back to its pool. */
  #finish(): void {
    this.#phase = 'over';
    this.#held = [];
    this.#releaseSlot();
    this.#upload?.destroy();
  }

  /** Closes whatever this call has open. */
  #letGo(): void {
    if (this.#phase === 'wait') this.#pool?.leave(this);
    this.#phase = 'over';
    this.#held = [];
    this.#decoder?.destroy();
    this.#discardSlot();
    this.#upload?.destroy();
  }

  #releaseSlot(): void {
    const slot = this.#slot;
    this.#slot = undefined;
    this.#controller = undefined;
    if (slot !== undefined) this.#pool?.release(slot);
  }

  #discardSlot(): void {
    const slot = this.#slot;
    this.#slot = undefined;
    this.#controller = undefined;
    if (slot !== undefined) this.#pool?.discard(slot);
  }
}
