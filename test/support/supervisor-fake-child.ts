// A child process for supervisor tests, in the real child's dress (core/process): its first argument says how it behaves.
import { appendFileSync } from 'node:fs';
import { JournalWriter, writeBeat } from '../../core/protocol/index.ts';
import { runChild } from '../../core/process/index.ts';

const [mode = 'good', file = ''] = process.argv.slice(2);
const note = (text: string): void => {
  if (file !== '') appendFileSync(file, `${text}\n`);
};

if (mode === 'dies-at-once') process.exit(3);
if (mode === 'text') {
  process.stdout.write('plain words\n{"level":"info","name":"child","msg":"a line"}\n');
  process.stderr.write('last words without a line feed');
}

await runChild('host', async (boot) => {
  note(`start ${process.pid}`);
  if (mode === 'refuses') throw new Error('the reason');
  if (mode === 'never-ready') await new Promise(() => {});
  if (mode === 'beats' || mode === 'falls-silent' || mode === 'stuck' || mode === 'enters') {
    let count = 0;
    const beat = (disposedMs = 0): void => writeBeat(boot.journalFd, { count: ++count, entry: 1, ageMs: 1, cpuMs: 1, budgetMs: 50, disposedMs });
    beat();
    const startedAt = performance.now();
    if (mode !== 'falls-silent') setInterval(() => beat(mode === 'stuck' ? performance.now() - startedAt : 0), 20);
    else setInterval(() => {}, 1_000);
    if (mode === 'enters') {
      const journal = new JournalWriter(boot.journalFd);
      journal.enter(1, 7, 100);
      journal.enter(2, 7, 101);
    }
  } else {
    setInterval(() => {}, 1_000);
  }
  if (mode === 'dies-when-ready') setTimeout(() => process.exit(4), 5);
  return {
    drain: async (withinMs) => {
      note(`drain ${withinMs}`);
      if (mode === 'never-drains') await new Promise(() => {});
    },
    onMessage: (message) => note(`message ${message.type}`),
  };
});
