// Installed packages as an upload holds them: the text files of a package and of what it depends on, below node_modules/.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const MODULES = join(import.meta.dirname, '..', '..', 'node_modules');
const CODE = /(?:\.(?:js|mjs|cjs|json)|\/package\.json)$/;

/** Whole packages: every script and JSON file, and those of their `dependencies`, transitively. */
export function packageFiles(...names: string[]): Record<string, string> {
  const files: Record<string, string> = {};
  const seen = new Set<string>();
  const add = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const folder = join(MODULES, name);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && CODE.test(path)) files[`node_modules/${path.slice(MODULES.length + 1)}`] = readFileSync(path, 'utf8');
    }
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> };
    for (const dependency of Object.keys(dependencies)) if (existsSync(join(MODULES, dependency))) add(dependency);
  };
  for (const name of names) add(name);
  return files;
}
