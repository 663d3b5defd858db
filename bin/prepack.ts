// Makes dist/ for the package: JavaScript and declarations of every part, and the sources that are read as text at run time.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
/** What the package runs; tests, benches and docs stay out. */
const PARTS = ['core', 'gateway', 'isolates', 'sidecar', 'control', 'supervisor', 'cli', 'examples/upstreams'];

rmSync(dist, { recursive: true, force: true });

// A project file of its own, beside the others so that `extends` and relative names hold.
const scratch = mkdtempSync(join(root, '.prepack-'));
try {
  const project = join(scratch, 'tsconfig.json');
  writeFileSync(project, JSON.stringify({
    extends: '../tsconfig.json',
    compilerOptions: { noEmit: false, declaration: true, rootDir: '..', outDir: '../dist', incremental: false },
    include: ['../main.ts', ...PARTS.map((part) => `../${part}/**/*.ts`)],
    exclude: ['../**/node_modules', '../isolates/runtime', '../**/*.guest.ts'],
  }));
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

// The runtime inside isolates is bundled by esbuild when a node first starts; esbuild reads TypeScript wherever it lies.
cpSync(join(root, 'isolates', 'runtime'), join(dist, 'isolates', 'runtime'), { recursive: true, filter: (path) => !path.endsWith('tsconfig.json') });
// Function sources are deployed as text.
for (const name of readdirSync(join(root, 'examples'))) {
  const manifest = join(root, 'examples', name, 'thimble.json');
  if (existsSync(manifest)) cpSync(join(root, 'examples', name), join(dist, 'examples', name), { recursive: true });
}
