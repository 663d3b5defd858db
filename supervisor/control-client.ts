// A small client of the control REST API, for what the node deploys by itself.

/** An answer outside 2xx that the caller did not expect. `message` holds call, status and the problem's body. */
export class ControlCallFailed extends Error {
  override readonly name = 'ControlCallFailed';
  readonly status: number;

  constructor(call: string, status: number, body: string) {
    super(`${call} answered ${status}: ${body.slice(0, 1_000)}`);
    this.status = status;
  }
}

/** Longest call, milliseconds: a build of an example takes a fraction of a second. */
const CALL_MS = 30_000;

export class ControlClient {
  readonly #baseUrl: string;
  readonly #token: string;
  readonly #signal: AbortSignal;

  /** @param signal  aborts calls under way, such as a drain during the start */
  constructor(baseUrl: string, token: string, signal: AbortSignal) {
    this.#baseUrl = baseUrl;
    this.#token = token;
    this.#signal = signal;
  }

  /**
   * One call with a JSON body and a JSON answer.
   *
   * @param expected  statuses besides 2xx that are returned, not thrown
   * @throws ControlCallFailed
   */
  async call(method: string, path: string, body?: unknown, expected: readonly number[] = []): Promise<{ readonly status: number; readonly body: unknown }> {
    const response = await fetch(`${this.#baseUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(CALL_MS)]),
    });
    const text = await response.text();
    if (!response.ok && !expected.includes(response.status)) throw new ControlCallFailed(`${method} ${path}`, response.status, text);
    return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
  }
}
