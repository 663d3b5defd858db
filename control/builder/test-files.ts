// What is built to run test files: an entry that imports them behind the assertion library, which stands in for vitest.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EsbuildService } from './esbuild-service.ts';

const folder = fileURLToPath(new URL('./testing', import.meta.url));
/** `.ts` in the repository, `.js` in the package. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

/** What test files may import besides `vitest`: the same. */
export const TEST_MODULE = 'thimble:test';
const STAND_IN = 'node_modules/vitest';

/** Text of the module that test files import: made once a process. */
export async function bundleTesting(service: EsbuildService): Promise<string> {
  const { outputFiles } = await service.build({
    entryPoints: [join(folder, `main${extension}`)], absWorkingDir: folder, outfile: '/testing.js', bundle: true, write: false, format: 'esm', platform: 'neutral', mainFields: ['module', 'main'], conditions: ['import'], target: 'chrome124',
    charset: 'utf8', legalComments: 'none', minifyWhitespace: true, minifySyntax: true, logLevel: 'silent', tsconfigRaw: {},
  });
  return outputFiles?.[0]?.text ?? '';
}

/**
 * The upload with the tests as its program. A vitest that came with it is left out: it needs a file system and processes.
 *
 * @param testing  of `bundleTesting`
 */
export function withTests(files: Readonly<Record<string, string>>, tests: readonly string[], testing: string): { readonly files: Readonly<Record<string, string>>; readonly main: string } {
  let main = 'gate.mjs';
  while (Object.hasOwn(files, main)) main = `_${main}`;
  const others = Object.entries(files).filter(([path]) => !path.startsWith(`${STAND_IN}/`));
  const entry = ['import { handler } from "vitest";', ...tests.map((path) => `import ${JSON.stringify(`./${path}`)};`), 'export default handler;'].join('\n');
  return {
    main,
    files: Object.fromEntries([...others, [main, entry], [`${STAND_IN}/package.json`, '{"name":"vitest","type":"module","main":"index.js"}'], [`${STAND_IN}/index.js`, testing]]),
  };
}
