// V8's own WebAssembly, kept for the part that makes the tenant's: its constructors count nothing, so no tenant may reach them.

let native: object | undefined;
let limitBytes = 0;
let count: (() => number) | undefined;

/** Once per isolate of a host that has WebAssembly. @param bytes  what its memories may take in all */
export function keepNative(namespace: object, bytes: number): void {
  native = namespace;
  limitBytes = bytes;
}

/** Hands it over, once. @param counter  tells what the memories take from now on, bytes */
export function takeNative(counter: () => number): { readonly namespace: object; readonly limitBytes: number } {
  const namespace = native as object;
  native = undefined;
  count = counter;
  return { namespace, limitBytes };
}

/** What WebAssembly's memories take, bytes. */
export function usedBytes(): number {
  return count === undefined ? 0 : count();
}
