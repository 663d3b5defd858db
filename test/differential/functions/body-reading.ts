// Bodies read in each way, twice, locked and broken.
import { rejected, report, streamOf } from './lib/report.ts';

const encoder = new TextEncoder();

export default {
  fetch: async (): Promise<Response> =>
    report({
      'text': async () => new Response('grüße ☃').text(),
      'text drops a mark': async () => (await new Response(Uint8Array.of(0xef, 0xbb, 0xbf, 65)).text()).length,
      'text replaces': async () => new Response(Uint8Array.of(65, 0xff, 66)).text(),
      'json': async () => new Response('{"a":1}').json(),
      'json with a mark': async () => new Response(encoder.encode('\ufeff{"a":1}')).json(),
      'json broken': async () => rejected(async () => new Response('{').json()),
      'json empty': async () => rejected(async () => new Response('').json()),
      'arrayBuffer': async () => new Response('ü').arrayBuffer(),
      'bytes': async () => new Response('ü').bytes(),
      'bytes is a Uint8Array': async () => (await new Response('x').bytes()) instanceof Uint8Array,
      'blob': async () => {
        const blob = await new Response('x', { headers: { 'content-type': 'Text/X' } }).blob();
        return [blob.type, blob.size];
      },
      'blob without type': async () => (await new Response(new Uint8Array(2)).blob()).type,
      'empty': async () => [await new Response().text(), (await new Response().arrayBuffer()).byteLength, (await new Response().blob()).size],
      'empty is not used up': async () => {
        const response = new Response();
        await response.text();
        return [response.bodyUsed, await response.text()];
      },
      'twice': async () => {
        const response = new Response('x');
        await response.text();
        return [response.bodyUsed, await rejected(async () => response.text()), await rejected(async () => response.json())];
      },
      'while locked': async () => {
        const response = new Response('x');
        const reader = response.body?.getReader();
        const locked = await rejected(async () => response.text());
        reader?.releaseLock();
        return [locked, await response.text()];
      },
      'from a stream': async () => new Response(streamOf(encoder.encode('a'), encoder.encode('b'))).text(),
      'character across chunks': async () => new Response(streamOf(Uint8Array.of(0xe2, 0x98), Uint8Array.of(0x83))).text(),
      'stream of text refused': async () => rejected(async () => new Response(streamOf('a') as unknown as BodyInit).text()),
      'stream that breaks': async () =>
        rejected(async () => new Response(new ReadableStream({ pull: (controller) => controller.error(new RangeError('broken')) })).text()),
      'locked stream as body': () => {
        const stream = new ReadableStream();
        stream.getReader();
        return new Response(stream).bodyUsed;
      },
      'body is one object': () => {
        const response = new Response('x');
        return [response.body === response.body, response.body instanceof ReadableStream];
      },
      'reading through body uses it': async () => {
        const response = new Response('x');
        const reader = response.body?.getReader();
        await reader?.read();
        reader?.releaseLock();
        return response.bodyUsed;
      },
      'form urlencoded': async () => [...(await new Response('a=1&b=2&a=%20', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }).formData())],
      'form of another type': async () => rejected(async () => new Response('a=1', { headers: { 'content-type': 'text/plain' } }).formData()),
      'form without type': async () => rejected(async () => new Response(new Uint8Array()).formData()),
    }),
};
