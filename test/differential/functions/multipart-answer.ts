// A form written as multipart: its parts as they stand between the boundaries, and read back.
import { report } from './lib/report.ts';

async function written(form: FormData): Promise<string> {
  const response = new Response(form);
  const boundary = /boundary="?([^";]+)/.exec(response.headers.get('content-type') ?? '')?.[1] ?? '';
  return (await response.text()).replaceAll(boundary, 'BOUNDARY');
}

async function back(form: FormData): Promise<unknown> {
  const entries = [...(await new Response(form).formData())];
  return Promise.all(entries.map(async ([name, value]) => [name, typeof value === 'string' ? value : [value.name, value.type, await value.text()]]));
}

function form(...entries: readonly (readonly [string, string | Blob, string?])[]): FormData {
  const made = new FormData();
  for (const [name, value, file] of entries) {
    if (typeof value === 'string') made.append(name, value);
    else if (file === undefined) made.append(name, value);
    else made.append(name, value, file);
  }
  return made;
}

const file = (): File => new File(['content'], 'x.txt', { type: 'text/plain' });

export default {
  fetch: async (): Promise<Response> =>
    report({
      'fields': async () => written(form(['a', '1'], ['b', '2'])),
      'file': async () => written(form(['f', file()])),
      'blob': async () => written(form(['f', new Blob(['x'])])),
      'names are escaped': async () => written(form(['a"b\r\nc', '1'])),
      'file names are escaped': async () => written(form(['f', file(), 'a"b\n.txt'])),
      'line ends of values': async () => written(form(['a', 'one\ntwo\rthree\r\nfour'])),
      'unicode': async () => written(form(['ключ', 'значение'])),
      'empty': async () => written(form()),
      'read back': async () => back(form(['a', '1'], ['f', file()], ['g', new Blob(['x'], { type: 'a/b' }), 'name'], ['a', '☃'])),
      'read back escaped': async () => back(form(['a"b', '"quoted"'], ['f', file(), 'a"b.txt'])),
      'read back request': async () => [...(await new Request('https://a.test/', { method: 'POST', body: form(['a', 'b']) }).formData())],
    }),
};
