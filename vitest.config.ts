import { defineConfig } from 'vitest/config';

/** Tests that keep nothing in their process: a worker runs one file after the other, without starting anew and loading all modules again for each. */
const SHARED = ['test/{unit,arch,contract,types}/**/*.test.ts', 'test/integration/isolates/**/*.test.ts'];

export default defineConfig({
  test: {
    pool: 'forks',
    globalSetup: 'test/support/platform-folder.ts',
    // isolated-vm must not share Node's own startup snapshot (its README, Node 20 and later).
    execArgv: ['--no-node-snapshot', '--disable-warning=ExperimentalWarning'],
    // Two cores: integration tests start whole nodes, so more forks only add noise.
    maxWorkers: 2,
    // On a machine that others share, a stop of a second is no defect; what fails twice is one. The report names what was repeated.
    retry: process.env.CI === undefined ? 0 : 1,
    // What is waited for comes when the machine has time for it.
    expect: { poll: { timeout: 10_000 } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: process.env.CI === undefined ? ['default'] : ['default', ['json', { outputFile: '.vitest-report.json' }]],
    projects: [
      { extends: true, test: { name: 'own', include: ['test/**/*.test.ts'], exclude: SHARED } },
      { extends: true, test: { name: 'shared', include: SHARED, isolate: false } },
    ],
  },
});
