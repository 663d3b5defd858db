// A failure that a function can cause, as it crosses: `!Name message`. Nothing of Node's or OpenSSL's own errors gets into an isolate.

export type FailureName = 'DataError' | 'OperationError' | 'NotSupportedError' | 'InvalidAccessError' | 'QuotaExceededError';

export class CryptoFailure extends Error {
  readonly failure: FailureName;

  constructor(failure: FailureName, message: string) {
    super(message);
    this.failure = failure;
  }

  override toString(): string {
    return `!${this.failure} ${this.message}`;
  }
}

/** Runs what OpenSSL may refuse: its reason becomes this failure. */
export function orFail<R>(failure: FailureName, message: string, run: () => R): R {
  try {
    return run();
  } catch (error) {
    if (error instanceof CryptoFailure) throw error;
    throw new CryptoFailure(failure, message);
  }
}
