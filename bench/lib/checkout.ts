// Another commit of the project beside this checkout: what `compare` and `cold` measure against.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BENCH, ROOT } from './paths.ts';

export interface Checkout {
  readonly folder: string;
  /** Short name of the commit. */
  readonly commit: string;
  remove(): void;
}

/** The commit that present claims are measured against: `baseline.json`. */
export function baselineCommit(): string {
  return (JSON.parse(readFileSync(join(BENCH, 'baseline.json'), 'utf8')) as { readonly commit: string }).commit;
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout.trim();
}

/**
 * Checks a commit out into a folder of its own, with its own dependencies installed.
 *
 * @throws Error  there is no such commit (a shallow clone, perhaps), or npm could not install
 */
export function checkOut(ref: string): Checkout {
  const commit = run('git', ['rev-parse', '--short', `${ref}^{commit}`], ROOT);
  const folder = join(mkdtempSync(join(tmpdir(), 'thimble-compare-')), commit);
  const remove = (): void => {
    spawnSync('git', ['worktree', 'remove', '--force', folder], { cwd: ROOT });
    rmSync(join(folder, '..'), { recursive: true, force: true });
  };
  try {
    console.log(`checking out ${commit} and installing its dependencies …`);
    run('git', ['worktree', 'add', '--detach', folder, commit], ROOT);
    run('npm', ['install', '--no-audit', '--no-fund', '--omit=dev'], folder);
  } catch (thrown) {
    remove();
    throw thrown;
  }
  process.once('exit', remove);
  return { folder, commit, remove };
}
