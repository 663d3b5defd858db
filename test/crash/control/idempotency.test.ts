// Idempotency keys and revoked tokens over SIGKILL: nothing is done twice, and what was taken away stays so.
import { describe, expect, it } from 'vitest';
import type { Reply } from '../../support/control-plane.ts';
import { brokenAuditRow } from '../../support/control-disk.ts';
import { useControlProcess } from '../../support/control-process.ts';
import type { ControlProcess } from '../../support/control-process.ts';
import { useTempFolder } from '../../support/control-temp.ts';

const WRITERS = 4;
/** Answers after which the process is killed, in each round. */
const ROUNDS = process.env['THIMBLE_TEST_FULL'] === '1' ? [1, 7, 23, 40, 57, 3, 91, 12, 33, 64] : [17];

const make = (control: ControlProcess, name: string): Promise<Reply> => control.call('POST', '/v1/tokens', { name, role: 'reader' }, { headers: { 'idempotency-key': name } });

describe('after SIGKILL', { timeout: 120_000 }, () => {
  it('a request that is repeated by its key was carried out once and gets the answer that it got before; what was revoked stays so', async () => {
    const data = useTempFolder();
    const answers = new Map<string, string>();
    const sent = new Set<string>();
    let control = await useControlProcess(data);
    for (const [round, count] of ROUNDS.entries()) {
      let answered = 0;
      // Each writer ends when its connection is cut.
      await Promise.allSettled(Array.from({ length: WRITERS }, async (_, writer) => {
        for (let i = 0; ; i++) {
          const name = `r${round}-w${writer}-${i}`;
          sent.add(name);
          const reply = await make(control, name);
          expect(reply.status).toBe(201);
          answers.set(name, reply.text);
          answered += 1;
          if (answered === count) control.child.kill('SIGKILL');
        }
      }));
      await control.kill();
      expect(answered).toBeGreaterThanOrEqual(count);
      control = await useControlProcess(data);
      let lost = 0;
      const other: unknown[] = [];
      for (const name of sent) {
        const reply = await make(control, name);
        const before = answers.get(name);
        // Carried out, and the answer was not kept yet when the process died: at most what was under way.
        if (before === undefined && reply.status === 409) lost += 1;
        else if (reply.status !== 201 || (before !== undefined && before !== reply.text)) other.push([name, before, reply.status, reply.text]);
        else answers.set(name, reply.text);
      }
      expect(other).toEqual([]);
      expect(lost).toBeLessThanOrEqual(WRITERS * (round + 1));
      const names: unknown[] = [];
      for (let cursor = ''; ; ) {
        const { body } = await control.call('GET', `/v1/tokens?limit=1000${cursor}`);
        names.push(...(body.items ?? []).map((item) => item['name']));
        if (typeof body.next !== 'string') break;
        cursor = `&cursor=${body.next}`;
      }
      expect(names.map(String).toSorted()).toEqual([...sent].toSorted());
    }
    // A revocation holds as well, right behind its answer.
    const [name = ''] = sent;
    const { id, token } = JSON.parse(answers.get(name) ?? '{}') as { readonly id: string; readonly token: string };
    expect((await control.call('GET', '/v1/functions', undefined, { token })).status).toBe(200);
    expect((await control.call('DELETE', `/v1/tokens/${id}`)).status).toBe(200);
    await control.kill();
    control = await useControlProcess(data);
    expect((await control.call('GET', '/v1/functions', undefined, { token })).status).toBe(401);
    await control.kill();
    expect(await brokenAuditRow(data)).toBeNull();
  });
});
