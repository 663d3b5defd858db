// A real node: what the builder writes and what the host maps fit together, from the upload to the answer.
import { expect, test } from 'vitest';
import { useNode } from '../../support/node.ts';

const FILES = {
  'src/index.ts': "import { getCard } from './lib/card.ts';\n\nexport default {\n  fetch(request: Request): Response {\n    return Response.json(getCard(new URL(request.url).pathname));\n  },\n};\n",
  'src/lib/card.ts': "interface Card {\n  readonly id: string;\n}\n\nexport function getCard(id: string): Card {\n  if (id === '/none') throw new TypeError('no such card');\n  return { id };\n}\n",
};

test('a thrown error names file, line and column of the upload, in the answer with debug on and in the log', async () => {
  const node = await useNode();
  await node.deploy('cards', { 'src/index.ts': FILES['src/index.ts'], 'src/lib/card.ts': FILES['src/lib/card.ts'] }, { debug: true });
  expect((await node.call('cards', '/7')).text).toBe('{"id":"/7"}');
  const answer = await node.call('cards', '/none');
  expect([answer.status, answer.code]).toEqual([500, 'function_threw']);
  const { stack } = JSON.parse(answer.text) as { stack: string };
  expect(stack.split('\n')).toEqual(['TypeError: no such card', '    at getCard (src/lib/card.ts:6:29)', '    at Object.fetch (src/index.ts:5:26)']);
  await expect.poll(async () => JSON.stringify((await node.api('GET', '/v1/functions/cards/logs')).body), { timeout: 5_000 }).toContain('at getCard (src/lib/card.ts:6:29)');
});
