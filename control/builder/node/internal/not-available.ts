// What is in Node's module and cannot be in a function: it says so when it is called.

export function notAvailable(name: string, instead = ''): (...args: unknown[]) => never {
  return () => {
    throw Object.assign(new Error(`${name} is not available in a function${instead === '' ? '' : `; ${instead}`}`), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
  };
}
