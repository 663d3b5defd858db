// The folder rules: who may import whom, and which library stays in which folder.
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PARTS, ROOT, importsOf, sourceFiles, targetOf } from '../support/supervisor-sources.ts';
import type { SourceFile } from '../support/supervisor-sources.ts';

/** What each part may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  gateway: ['core'],
  isolates: ['core'],
  sidecar: ['core'],
  control: ['core'],
  cli: ['core'],
  supervisor: PARTS,
  examples: [],
};

/** Libraries with a native part or an `any` surface, and the only place that touches each. */
const STAYS_IN: Readonly<Record<string, RegExp>> = {
  'isolated-vm': /^isolates\//,
  lmdb: /^(?:control|sidecar)\/store\//,
  msgpackr: /^core\/protocol\/codec\.ts$/,
  'uWebSockets.js': /^gateway\//,
  undici: /^sidecar\//,
};

/** Imports past an index, each with its reason. */
const PAST_INDEX: Readonly<Record<string, string>> = {
  // A worker thread that must start fast and stay small: the index would load msgpackr and the codec.
  'isolates/watch/meter.ts': 'core/protocol/journal.ts',
  // A command that only reads the store: the index would load the whole control plane, builder and all.
  'supervisor/commands/audit.ts': 'control/offline/index.ts',
};

const partOf = (path: string): string => path.split('/')[0] ?? '';
const isGuest = (path: string): boolean => path.endsWith('.guest.ts');
const folders = [...PARTS, 'examples'].filter((folder) => existsSync(join(ROOT, folder)));
const files: readonly SourceFile[] = folders.flatMap((folder) => sourceFiles(folder));

/** Every import as `FILE -> TARGET` that `breaks` says is wrong. */
function offences(breaks: (file: SourceFile, specifier: string, target: string | undefined) => boolean): string[] {
  return files.flatMap((file) => importsOf(file).filter((specifier) => breaks(file, specifier, targetOf(file, specifier))).map((specifier) => `${file.path} -> ${specifier}`));
}

describe('imports', () => {
  it('are found at all', () => {
    expect(files.length).toBeGreaterThan(40);
    expect(files.flatMap(importsOf).length).toBeGreaterThan(100);
    expect(importsOf({ path: 'x.ts', text: "import a from './a.ts';\n// from './no.ts'\nexport * from \"./b.ts\"; await import('./c.ts'); import './d.ts'; import type { X } from 'zod';" })).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', 'zod']);
  });

  it('point from the parts to core, and nowhere else', () => {
    expect(offences((file, _, target) => target !== undefined && partOf(target) !== partOf(file.path) && !(MAY_IMPORT[partOf(file.path)] ?? []).includes(partOf(target)))).toEqual([]);
  });

  it('of another part go through its index', () => {
    expect(offences((file, _, target) => target !== undefined && partOf(target) !== partOf(file.path) && basename(target) !== 'index.ts' && PAST_INDEX[file.path] !== target)).toEqual([]);
  });

  it('name existing files with their extension', () => {
    expect(offences((_, __, target) => target !== undefined && !(target.endsWith('.ts') && existsSync(join(ROOT, target))))).toEqual([]);
  });

  it('of code that runs inside isolates stay inside isolates/runtime', () => {
    expect(offences((file, _, target) => isGuest(file.path) && target !== undefined && dirname(target) !== 'isolates/runtime' && !target.startsWith('isolates/runtime/'))).toEqual([]);
    expect(offences((file, specifier) => isGuest(file.path) && specifier.startsWith('node:'))).toEqual([]);
  });

  it('never bring code of isolates into a process of the node', () => {
    expect(offences((file, _, target) => !isGuest(file.path) && target !== undefined && isGuest(target))).toEqual([]);
  });

  it('of native and untyped libraries stay behind their adapters', () => {
    expect(offences((file, specifier) => Object.entries(STAYS_IN).some(([library, place]) => (specifier === library || specifier.startsWith(`${library}/`)) && !place.test(file.path)))).toEqual([]);
  });

  it('of the composition root are the supervisor alone', () => {
    expect(importsOf({ path: 'main.ts', text: readFileSync(join(ROOT, 'main.ts'), 'utf8') })).toEqual(['./supervisor/index.ts']);
  });

  it('of an example function stay in its own folder', () => {
    expect(offences((file, specifier, target) => {
      const own = /^examples\/[^/]+\/function\//.exec(file.path)?.[0];
      return own !== undefined && !(target ?? specifier).startsWith(own);
    })).toEqual([]);
  });
});
