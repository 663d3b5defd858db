// File: name, time, and being a Blob.
import { report, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'members': () => {
        const file = new File(['abc'], 'a.txt', { type: 'text/plain', lastModified: 1234 });
        return [file.name, file.size, file.type, file.lastModified, file instanceof Blob];
      },
      'lastModified': () => [0, -1, 1.9, Number.NaN].map((lastModified) => new File([], 'x', { lastModified }).lastModified),
      'names': () => ['a/b', '', 'ü', 'a:b', '\ud800'].map((name) => new File([], name).name),
      'one argument': () => thrown(() => new (File as unknown as new (parts: string[]) => File)([])),
      'slice is a Blob': () => new File(['abc'], 'x').slice(0, 1) instanceof File,
      'class string': () => Object.prototype.toString.call(new File([], 'x')),
      'text': async () => new File(['ü'], 'x').text(),
      'inherits': () => [Object.getPrototypeOf(File) === Blob, Object.getPrototypeOf(File.prototype) === Blob.prototype],
    }),
};
