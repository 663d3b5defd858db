// FormData: entries, files, order.
import { report, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'append and get': () => {
        const form = new FormData();
        form.append('a', '1');
        form.append('a', '2');
        form.append('b', 3 as unknown as string);
        return [form.get('a'), form.getAll('a'), form.get('b'), form.get('none'), form.getAll('none'), form.has('a')];
      },
      'set': () => {
        const form = new FormData();
        for (const [name, value] of [['a', '1'], ['b', '2'], ['a', '3']] as const) form.append(name, value);
        form.set('a', '4');
        form.set('c', '5');
        return [...form];
      },
      'delete': () => {
        const form = new FormData();
        form.append('a', '1');
        form.delete('a');
        form.delete('a');
        return [...form];
      },
      'blob becomes a file': () => {
        const form = new FormData();
        form.append('f', new Blob(['x'], { type: 'a/b' }));
        const file = form.get('f') as File;
        return [file instanceof File, file.name, file.type, file.size];
      },
      'file keeps its name': () => {
        const form = new FormData();
        form.append('f', new File(['x'], 'n.txt'));
        return (form.get('f') as File).name;
      },
      'file gets a name': () => {
        const form = new FormData();
        form.append('f', new File(['x'], 'n.txt', { type: 'a/b' }), 'other');
        const file = form.get('f') as File;
        return [file.name, file.type];
      },
      'text with a file name': () => thrown(() => (new FormData().append as (name: string, value: string, file: string) => void).call(new FormData(), 'a', 'b', 'c')),
      'one argument': () => thrown(() => (new FormData() as unknown as { append(name: string): void }).append('a')),
      'keys and values': () => {
        const form = new FormData();
        form.append('b', '1');
        form.append('a', '2');
        return [[...form.keys()], [...form.values()]];
      },
      'forEach': () => {
        const form = new FormData();
        form.append('b', '1');
        const seen: unknown[] = [];
        form.forEach((value, key, whole) => seen.push([value, key, whole === form]));
        return seen;
      },
      'surrogates become characters': () => {
        const form = new FormData();
        form.append('\ud800', '\udc00');
        return [...form];
      },
      'class string': () => [Object.prototype.toString.call(new FormData()), Object.prototype.toString.call(new FormData().entries())],
      'constructor argument': () => thrown(() => new (FormData as unknown as new (form: object) => FormData)({})),
    }),
};
