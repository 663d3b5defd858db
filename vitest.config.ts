import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
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
  },
});
