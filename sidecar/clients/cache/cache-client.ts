// The `cache` client: the caches of functions, which outlive isolates and hosts, but not this process.
import { PlatformError } from '../../../core/errors/index.ts';
import { INLINE_BODY_BYTES, MAX_DATA_BYTES } from '../../../core/protocol/index.ts';
import type { Call, CallTask, MiddlewareClient } from '../../engine/index.ts';
import { DEFAULT_CACHE, parseDeposit, parseName, parseQuery } from './cache-head.ts';
import { CacheStore, cacheLimits } from './cache-store.ts';
import type { CacheLimits, Entry } from './cache-store.ts';
import { PutTask } from './put-task.ts';
import { SendTask } from './send-task.ts';

const NO_TASK: CallTask = { bodyData: () => {}, bodyEnd: () => {}, resume: () => {}, abort: () => {} };

/** Default of THIMBLE_CACHE_MB. */
export const DEFAULT_CACHE_MB = 256;

export class CacheClient implements MiddlewareClient {
  readonly name = 'cache';
  readonly operations: ReadonlySet<string> = new Set(['match', 'list', 'keys', 'put', 'delete', 'open', 'has', 'drop', 'names']);
  readonly sockets = 0;
  readonly store: CacheStore;

  constructor(limits: CacheLimits = cacheLimits(DEFAULT_CACHE_MB), now: () => number = Date.now) {
    this.store = new CacheStore(limits, now);
  }

  start(call: Call): CallTask {
    const { tenant, fn } = call;
    switch (call.operation) {
      case 'match': {
        const [entry] = this.store.find(tenant, fn, parseQuery(call.head));
        if (entry === undefined) return answer(call, 'miss');
        this.store.touch(entry);
        const head = ['hit', ...entry.deposit.about, ...entry.fields].join('\n');
        if (entry.bodyBytes <= INLINE_BODY_BYTES) return answer(call, head, Buffer.concat(entry.body, entry.bodyBytes));
        return new SendTask(call, this.store, head, [entry], bodies([entry])).begin();
      }
      case 'list': {
        const entries = this.store.find(tenant, fn, parseQuery(call.head));
        for (const entry of entries) this.store.touch(entry);
        return new SendTask(call, this.store, 'list', entries, listing(entries)).begin();
      }
      case 'keys': {
        const entries = this.store.find(tenant, fn, parseQuery(call.head));
        return new SendTask(call, this.store, 'keys', entries, keys(entries)).begin();
      }
      case 'put': {
        const task = new PutTask(call, this.store, parseDeposit(call.head));
        task.begin();
        return task;
      }
      case 'delete':
        return answer(call, this.store.delete(tenant, fn, parseQuery(call.head)) > 0 ? '1' : '0');
      case 'open':
        if (!this.store.open(tenant, fn, parseName(call.head))) throw new PlatformError('overloaded', { what: 'caches of this function' });
        return answer(call, '1');
      case 'has':
        return answer(call, this.store.has(tenant, fn, parseName(call.head)) ? '1' : '0');
      case 'drop':
        return answer(call, this.store.drop(tenant, fn, parseName(call.head)) ? '1' : '0');
      default:
        return answer(call, this.store.names(tenant, fn).filter((name) => name !== DEFAULT_CACHE).join('\n'));
    }
  }

  async close(): Promise<void> {
    // Nothing is open, and nothing is kept.
  }
}

function answer(call: Call, head: string, body: Uint8Array | null = null): CallTask {
  call.reply(head, body === null || body.length === 0 ? null : body);
  return NO_TASK;
}

function* bodies(entries: readonly Entry[]): Iterable<Uint8Array> {
  for (const { body } of entries) {
    for (const chunk of body) for (let at = 0; at < chunk.length; at += MAX_DATA_BYTES) yield chunk.subarray(at, at + MAX_DATA_BYTES);
  }
}

/** One line of JSON an entry: length of the body, then what a `match` tells; an empty line; then the bodies. */
function* listing(entries: readonly Entry[]): Iterable<Uint8Array> {
  for (const { bodyBytes, deposit, fields } of entries) yield Buffer.from(`${JSON.stringify([bodyBytes, ...deposit.about, ...fields])}\n`);
  yield Buffer.from('\n');
  yield* bodies(entries);
}

/** One line of JSON an entry: URL, then the request's headers. */
function* keys(entries: readonly Entry[]): Iterable<Uint8Array> {
  for (const { deposit } of entries) yield Buffer.from(`${JSON.stringify([deposit.url, ...deposit.headers])}\n`);
}
