import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LogOutput } from '../../../supervisor/log-output.ts';
import { useTempFolder } from '../../support/supervisor-process.ts';

describe('log output', () => {
  it('writes lines in order', async () => {
    const file = join(useTempFolder(), 'out');
    const fd = openSync(file, 'w');
    onTestFinished(() => closeSync(fd));
    const output = new LogOutput(fd);
    const lines = Array.from({ length: 5_000 }, (_, at) => `line ${at}\n`);
    for (const line of lines) output.write(line);
    await output.flush(5_000);
    expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
  });

  it('drops lines, and never waits, while nobody reads; then says how many', async () => {
    const fifo = join(useTempFolder(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    // Open for both: a pipe that has a reader which does not read.
    const fd = openSync(fifo, constants.O_RDWR);
    const output = new LogOutput(fd);
    const line = `${'x'.repeat(1_023)}\n`;
    const startedAt = performance.now();
    for (let at = 0; at < 10_000; at++) output.write(line);
    await output.flush(100);
    expect(performance.now() - startedAt).toBeLessThan(2_000);

    const reader = await open(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    let text = '';
    const buffer = Buffer.alloc(65_536);
    for (let flushed = false; !flushed; ) {
      const got = await reader.read(buffer).then(({ bytesRead }) => bytesRead, () => 0);
      text += buffer.toString('utf8', 0, got);
      if (got === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      flushed = text.includes('"dropped"') && text.endsWith('\n');
    }
    await reader.close();
    closeSync(fd);
    const kept = text.split('\n').filter((one) => one.startsWith('x'));
    expect(kept.length).toBeLessThan(10_000);
    const { dropped } = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as { dropped: number };
    expect(dropped).toBe(10_000 - kept.length);
  });

  it('goes on when its reader is gone', async () => {
    const fifo = join(useTempFolder(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const fd = openSync(fifo, constants.O_WRONLY);
    onTestFinished(() => closeSync(fd));
    closeSync(reader);
    const output = new LogOutput(fd);
    output.write('into nowhere\n');
    await output.flush(1_000);
    output.write('again\n');
    const startedAt = performance.now();
    await output.flush(1_000);
    // Nothing is kept for a reader that will never come back.
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
