// What happens to a request before it is an exchange: checks, address, version, limits at the door.
import { toPlatformError } from '../core/errors/index.ts';
import { MAX_LOOP_DEPTH } from '../core/http/index.ts';
import { invocationId } from '../core/ids/index.ts';
import type { Logger } from '../core/log/index.ts';
import { INLINE_BODY_BYTES } from '../core/protocol/index.ts';
import { childTraceparent } from '../core/trace/index.ts';
import { AuthorityCache } from './authority.ts';
import { answerNow, condemn } from './client.ts';
import type { OwnFields } from './client.ts';
import { believedRequestId, forwardedFields, protocolOf } from './client-address.ts';
import type { PeerAddresses } from './client-address.ts';
import type { Dispatcher } from './dispatcher.ts';
import { Exchange } from './exchange.ts';
import { FALLBACK_FIELD } from './fallback/fallbacks.ts';
import { ALL_METHODS, allowList, methodBit } from './method-set.ts';
import { normalizePath, normalizeQuery } from './path.ts';
import { problemAnswer, specOf } from './problem-answer.ts';
import type { Failure } from './problem-answer.ts';
import { failureReason } from './reason.ts';
import { LazyFacts } from './request-facts.ts';
import { MAX_HEAD_CHARACTERS, RequestHead } from './request-head.ts';
import { ResponseFields } from './response-fields.ts';
import type { Route } from './route.ts';
import type { RouteTable } from './route-table.ts';
import type { Shadows } from './shadow/index.ts';
import { userField } from './user-field.ts';
import type { ClientRequest, ClientResponse } from './uws.ts';

export interface RequestEntryOptions {
  readonly epoch: number;
  readonly table: RouteTable;
  readonly dispatcher: Dispatcher;
  readonly peers: PeerAddresses;
  readonly shadows: Shadows;
  readonly logger: Logger;
  /** Whether requests can be served, and if not, why. */
  readonly readiness: () => 'ready' | 'draining' | 'no route table' | 'no host';
  /** Time since the route table was known to be current, milliseconds; 0 while it is. */
  readonly tableAgeMs: () => number;
}

const HEALTH_PREFIX = '/.thimble/';
const ALL_ALLOWED = allowList(ALL_METHODS);

// Filled and written within one call.
const fields = new ResponseFields();

export class RequestEntry {
  readonly #options: RequestEntryOptions;
  readonly #authorities = new AuthorityCache();
  readonly #head = new RequestHead();
  // The request at hand, for an answer at the door; handlers never overlap.
  #requestId = '';
  #method = '';
  #path = '';
  #peer = '';
  #acceptedAtMs = 0;

  constructor(options: RequestEntryOptions) {
    this.#options = options;
  }

  /** The listener's handler. Nothing of `request` is kept. */
  readonly take = (response: ClientResponse, request: ClientRequest): void => {
    try {
      this.#take(response, request);
    } catch (thrown) {
      this.#options.logger.error({ err: thrown, code: toPlatformError(thrown).code }, 'a request was dropped');
      // A handler that neither answers nor attaches an abort handler would end the process.
      try {
        response.close();
      } catch {
        // It was answered before the defect.
      }
    }
  };

  #take(response: ClientResponse, request: ClientRequest): void {
    const acceptedAtMs = performance.now();
    const id = this.#options.dispatcher.nextId();
    const method = request.getCaseSensitiveMethod();
    const rawPath = request.getUrl();
    const rawQuery = request.getQuery() ?? '';
    if (rawPath.startsWith(HEALTH_PREFIX) && this.#health(response, rawPath, method, id)) return;
    const head = this.#head;
    head.read(request, method.length + rawPath.length + rawQuery.length);
    const peer = this.#options.peers.get(response.getRemoteAddressAsText());
    const requestId = believedRequestId(head, peer) || invocationId(this.#options.epoch, id);
    this.#requestId = requestId;
    this.#method = method;
    this.#path = rawPath;
    this.#peer = peer.text;
    this.#acceptedAtMs = acceptedAtMs;

    const path = normalizePath(rawPath);
    const query = rawQuery === '' ? '' : normalizeQuery(rawQuery);
    const authority = this.#authorities.get(head.host);
    const why = head.why !== '' ? head.why : path === undefined || query === undefined ? 'the request target' : authority === undefined ? 'the Host' : '';
    if (why !== '' || path === undefined || query === undefined || authority === undefined) return this.#refuse(response, { code: 'bad_request', params: { why } }, true);

    if (head.tooLarge) return this.#refuse(response, { code: 'headers_too_large', params: { limitBytes: MAX_HEAD_CHARACTERS } }, true);

    const bit = methodBit(method);
    const { table, dispatcher } = this.#options;
    const found = table.find(authority, path, bit, head.named);
    if (found === undefined) {
      const allow = table.allow;
      return this.#refuse(response, allow === '' ? { code: 'no_route', params: null } : { code: 'method_not_allowed', params: { allow } }, false);
    }
    const { route } = found;
    const { fn } = route;
    if (head.loopDepth > MAX_LOOP_DEPTH) return this.#refuse(response, { code: 'loop_detected', params: { limit: MAX_LOOP_DEPTH } }, false, route);
    if (bit === 0) return this.#refuse(response, { code: 'method_not_allowed', params: { allow: ALL_ALLOWED } }, false, route);

    const { gate } = route;
    let version = found.version || route.onlyVersion;
    let pin = '';
    const { skew } = route;
    const facts = version === 0 || skew !== null || fn.user !== null || gate.callers !== null ? new LazyFacts(request, query, fn.user) : undefined;
    if (facts !== undefined && found.version === 0) {
      if (skew === null) version = route.choose(facts);
      else ({ version, cookie: pin } = skew.place(route, facts, protocolOf(head, peer) === 'https'));
    }
    const target = route.target(version);
    if (target === undefined) return this.#refuse(response, { code: 'no_version', params: { function: fn.name, version: version || null, alias: authority.alias } }, false, route, version);
    const { limits } = fn;
    if (head.contentLength > limits.bodyBytes) {
      return this.#refuse(response, { code: 'body_too_large', params: { limitBytes: limits.bodyBytes } }, true, route, version);
    }
    const caller = gate.callers === null || facts === undefined ? null : gate.callers.caller(facts, this.#options.peers.client(head, peer), acceptedAtMs);
    const refusal = dispatcher.refusal(gate, acceptedAtMs, limits.rps, caller);
    if (refusal !== undefined && route.fallback === null) return this.#refuse(response, refusal.failure, false, route, version, refusal.retryAfterS);

    const protocol = protocolOf(head, peer);
    const text =
      `${method}\n${protocol}://${authority.text}${path}${query === '' ? '' : `?${query}`}\nhost\n${authority.text}${head.fields}` +
      `\nx-request-id\n${requestId}${forwardedFields(head, peer, authority.text, protocol)}\ntraceparent\n${childTraceparent(head.traceparent)}` +
      (fn.user === null ? '' : userField(facts?.user()));
    if (refusal !== undefined) return this.#refuse(response, refusal.failure, false, route, version, refusal.retryAfterS, text);
    const mirror = fn.shadow === undefined || found.version !== 0
      ? undefined
      : this.#options.shadows.draw(fn, version, { method, path, query, head: text, acceptedAtMs }, head.chunked ? -1 : Math.max(0, head.contentLength), response);
    const exchange = new Exchange(dispatcher, { id, requestId, method, path, head: text, peer: peer.text, acceptedAtMs }, route, target, mirror ?? response);
    if (mirror !== undefined) mirror.exchange = exchange;
    exchange.pin = pin;
    exchange.followsTraffic = found.version === 0;
    if (caller !== null) {
      caller.running += 1;
      exchange.caller = caller;
    }
    dispatcher.enter(exchange);
    if (head.chunked) exchange.takeBody(-1);
    else if (head.contentLength > 0) exchange.takeBody(head.contentLength);
    else dispatcher.start(exchange);
  }

  #health(response: ClientResponse, path: string, method: string, id: number): boolean {
    const isLive = path === '/.thimble/livez';
    if (!isLive && path !== '/.thimble/readyz') return false;
    const state = this.#options.readiness();
    const ok = isLive || state === 'ready';
    const requestId = invocationId(this.#options.epoch, id);
    fields.clear().add('content-type', 'application/json').add('cache-control', 'no-store');
    // The control plane's metrics are gone when it is: how old the table is, is told here too.
    const { table, tableAgeMs } = this.#options;
    const body = JSON.stringify(isLive ? { status: 'live' } : { status: state, revision: table.revision, tableAgeSeconds: Math.round(tableAgeMs() / 1_000) });
    answerNow(response, new NoFunction(requestId, '', ''), ok ? 200 : 503, fields, body, method === 'HEAD', state === 'draining');
    return true;
  }

  /** Whether the client has a body to send that is not worth reading only to keep the connection. */
  #awaitsBody(): boolean {
    return this.#head.chunked || this.#head.contentLength > INLINE_BODY_BYTES;
  }

  /**
   * Answers the request at hand with a failure, or with what its function has in place of it.
   *
   * @param close  whether the connection ends with it
   * @param asked  the head that a host would have got; '' where nothing stands in for the failure
   */
  #refuse(response: ClientResponse, failure: Failure, close: boolean, route?: Route, version = 0, retryAfterS?: number, asked = ''): void {
    const { dispatcher } = this.#options;
    const { code } = failure;
    const spec = specOf(code);
    const own = new NoFunction(this.#requestId, version > 0 && code !== 'no_version' ? String(version) : '', failureReason(code, failure.params));
    const isHead = this.#method === 'HEAD';
    const closes = close || this.#awaitsBody() || dispatcher.closing;
    const substitute = asked === '' || route === undefined ? undefined : dispatcher.fallbacks.instead(route, { method: this.#method, head: asked }, code, performance.now());
    if (substitute !== undefined) {
      fields.read(substitute.head);
      fields.add(FALLBACK_FIELD, substitute.mark);
      answerNow(response, own, substitute.status, fields, substitute.body ?? '', isHead, closes);
    } else {
      const body = problemAnswer(failure, fields, retryAfterS);
      if (code === 'bad_request') condemn(response, own, spec.status, fields, body, isHead);
      else answerNow(response, own, spec.status, fields, body, isHead, closes);
    }
    const wallMs = performance.now() - this.#acceptedAtMs;
    const name = route?.fn.name ?? '';
    const known = name !== '' && version > 0 && code !== 'no_version';
    const cell = known ? dispatcher.figures.cell(name, version) : dispatcher.figures.none;
    cell.answered(spec.status, code, wallMs * 1_000);
    if (substitute !== undefined) cell.fellBack(substitute.kind);
    if (known) dispatcher.explanations.note(name, version, this.#requestId, failure);
    if (!dispatcher.accessLog.hasRoom(code)) return;
    dispatcher.accessLog.write(
      {
        request: this.#requestId, function: name, version, method: this.#method, path: this.#path, status: substitute?.status ?? spec.status, code, wallMs, cpuMs: 0,
        replays: 0, client: this.#peer, reason: own.reason, fallback: substitute?.kind ?? '', detail: null,
      },
      spec.fault,
    );
  }
}

/** The gateway's own fields of an answer that no function gave. */
class NoFunction implements OwnFields {
  readonly requestId: string;
  readonly versionText: string;
  readonly reason: string;
  readonly serverTiming = '';
  readonly pin = '';

  constructor(requestId: string, versionText: string, reason: string) {
    this.requestId = requestId;
    this.versionText = versionText;
    this.reason = reason;
  }
}
