// The web platform's types: what must compile, and what must not.

export async function bodies(request: Request): Promise<unknown[]> {
  const form = await request.formData();
  const file = form.get('file');
  const text: string = file instanceof File ? await file.text() : (file ?? '');
  const card = await request.json<{ readonly id: number }>();
  const id: number = card.id;
  const bytes: Uint8Array = await new Response('x').bytes();
  return [text, id, bytes, new Response(new URLSearchParams({ a: 'b' })), new Response(form), new Response(new Blob(['x', bytes.slice()]).stream()), new Response(null, { status: 204 })];
}

// @ts-expect-error -- an object is no body
export const objectBody = new Response({ a: 1 });
// @ts-expect-error -- a status is a number
export const redirect = Response.redirect('https://a.test', '302');
// @ts-expect-error -- headers are strings
export const headers = new Headers({ a: 1 });
// @ts-expect-error -- status is read only
new Response().status = 201;

export async function streams(request: Request): Promise<string[]> {
  const lines: string[] = [];
  const upper = new TransformStream<string, string>({ transform: (chunk, controller) => controller.enqueue(chunk.toUpperCase()) });
  if (request.body === null) return lines;
  for await (const line of request.body.pipeThrough(new TextDecoderStream()).pipeThrough(upper)) lines.push(line);
  const reader = new ReadableStream({ type: 'bytes', pull: (controller) => controller.enqueue(Uint8Array.of(1)) }).getReader({ mode: 'byob' });
  const { done, value } = await reader.read(new Uint8Array(4));
  if (!done) lines.push(String(value.byteLength));
  const numbers: ReadableStream<number> = ReadableStream.from([1, 2]);
  // @ts-expect-error -- numbers are no strings
  const wrong: ReadableStream<string> = numbers;
  void wrong;
  const compressed: ReadableStream<Uint8Array> = new Blob(['x']).stream().pipeThrough(new CompressionStream('gzip'));
  void compressed;
  return lines;
}

// @ts-expect-error -- there is no such format
export const zip = new CompressionStream('zip');
// @ts-expect-error -- nobody constructs a signal
export const signal = new AbortSignal();
// @ts-expect-error -- nor a key
export const key = new CryptoKey();

export async function keys(): Promise<ArrayBuffer> {
  const pair: CryptoKeyPair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const secret: CryptoKey = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  await crypto.subtle.encrypt({ name: 'AES-GCM', iv: crypto.getRandomValues(new Uint8Array(12)) }, secret, new Uint8Array(1));
  // @ts-expect-error -- there is no such usage
  await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['paint']);
  // @ts-expect-error -- floats can't be filled
  crypto.getRandomValues(new Float64Array(1));
  return crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, new TextEncoder().encode('x'));
}

export function urls(): unknown[] {
  const url = new URL('/a', 'https://a.test');
  url.search = '?b';
  // @ts-expect-error -- origin is read only
  url.origin = 'https://b.test';
  const match = new URLPattern({ pathname: '/:id' }).exec(url.href);
  const id: string | undefined = match?.pathname.groups['id'];
  // @ts-expect-error -- parse may find none
  const host: string = URL.parse('x').host;
  return [id, host, [...url.searchParams.keys()].map((name) => name.length)];
}

export function time(): number {
  const timer: number = setTimeout((a: string, b: number) => console.log(a, b), 5, 'x', 1);
  clearTimeout(timer);
  // @ts-expect-error -- the callback takes no number
  setTimeout((a: string) => console.log(a), 5, 1);
  const mark: PerformanceMark = performance.mark('a', { detail: 1 });
  return performance.now() - performance.timeOrigin + mark.startTime;
}

// @ts-expect-error -- no DOM
document;
// @ts-expect-error -- no window
window;
// @ts-expect-error -- no storage
localStorage;
// @ts-expect-error -- no threads
Worker;
// @ts-expect-error -- no sockets
WebSocket;

export async function modules(bytes: Uint8Array<ArrayBuffer>): Promise<unknown> {
  const { instance, module } = await WebAssembly.instantiate(bytes, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } });
  const again: WebAssembly.Instance = await WebAssembly.instantiate(module);
  // @ts-expect-error -- modules are made of bytes
  await WebAssembly.compile('(module)');
  return [instance.exports['run'], again];
}

export async function cached(request: Request): Promise<Response> {
  const cache = await caches.open('cards');
  const found: Response | undefined = await cache.match(request);
  if (found !== undefined) return found;
  const made = new Response('made');
  await caches.default.put(request, made.clone());
  // @ts-expect-error -- there may be none
  const wrong: Response = await caches.match(request);
  return wrong ?? made;
}
