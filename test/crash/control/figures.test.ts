// Figures by the minute when the control plane is killed, and when the disk is full.
import { describe, expect, it } from 'vitest';
import { FRAME } from '../../../core/protocol/index.ts';
import { usePeer } from '../../support/control-peers.ts';
import { useControlProcess } from '../../support/control-process.ts';
import type { ControlProcess } from '../../support/control-process.ts';
import { useTempFolder } from '../../support/control-temp.ts';
import { gatewayFrame, increments } from '../../support/sensing.ts';

const MINUTE_MS = 60_000;

async function metric(control: ControlProcess, name: string): Promise<number> {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec((await control.call('GET', '/metrics')).text)?.[1] ?? NaN);
}

/** [minutes before this one, requests] of each point of the last hour. */
async function minutesOf(control: ControlProcess, now: number): Promise<[number, unknown][]> {
  const items = (await control.call('GET', `/v1/functions/card/series?from=${now - 60 * MINUTE_MS}&to=${now + MINUTE_MS}`)).body.items ?? [];
  return items.map((item) => [Math.floor(now / MINUTE_MS) - Date.parse(String(item['time'])) / MINUTE_MS, item['requests']]);
}

describe('figures by the minute', { timeout: 90_000 }, () => {
  it('of minutes that are over survive SIGKILL; only the present one is lost', async () => {
    const data = useTempFolder();
    const first = await useControlProcess(data);
    await first.call('PUT', '/v1/functions/card');
    const gateway = await usePeer(`${data}/control.sock`, 'gateway', 'gateway');
    const now = Date.now();
    const push = (atMs: number, requests: number): void => gateway.send([FRAME.figures, 0, gatewayFrame([atMs, atMs + 400], [increments('card', 1, requests)])]);
    push(now - 5 * MINUTE_MS, 3);
    push(now - 3 * MINUTE_MS, 4);
    await expect.poll(async () => metric(first, 'thimble_control_minutes_written_total'), { timeout: 15_000 }).toBe(2);
    push(now, 5);
    await expect.poll(async () => minutesOf(first, now)).toEqual([[5, 3], [3, 4], [0, 5]]);
    await first.kill();
    const second = await useControlProcess(data);
    expect(await minutesOf(second, now)).toEqual([[5, 3], [3, 4]]);
    gateway.close();
  });

  it('that the disk refuses are named and counted, and nothing else suffers', async () => {
    const data = useTempFolder();
    const control = await useControlProcess(data, { fileKib: 1_024 });
    await control.call('PUT', '/v1/functions/card');
    const gateway = await usePeer(`${data}/control.sock`, 'gateway', 'gateway');
    const now = Date.now();
    // More rows than the file may have room for.
    for (let minute = 2; minute < 8; minute++) {
      const at = now - minute * MINUTE_MS;
      gateway.send([FRAME.figures, 0, gatewayFrame([at, at + 400], Array.from({ length: 3_000 }, (_, i) => increments('card', i + 1, 1)))]);
    }
    await expect.poll(async () => metric(control, 'thimble_control_minutes_failed_total'), { timeout: 30_000 }).toBeGreaterThan(0);
    expect(control.output()).toContain('figures by the minute cannot be written');
    expect(control.output()).toContain('"code":"storage_failed"');
    expect(await metric(control, 'thimble_control_minutes_pending')).toBeGreaterThan(0);
    // What waits is read from memory, and records are written as ever.
    expect((await minutesOf(control, now)).map(([minute, requests]) => [minute, requests])).toEqual([7, 6, 5, 4, 3, 2].map((minute) => [minute, 3_000]));
    expect((await control.call('PUT', '/v1/functions/card', { debug: true })).status).toBe(200);
    expect(await control.drain()).toBe(0);
    gateway.close();
  });
});
