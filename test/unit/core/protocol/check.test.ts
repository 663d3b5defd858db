// The hand-written frame check accepts and rejects exactly what the zod schema of each frame does.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME, checkFrame, decode, encode } from '../../../../core/protocol/index.ts';
import { frameArbitraries, nearlyFrame, validFrame } from '../../../support/core-frames.ts';
import { frameSchema, frameSchemas } from '../../../support/frame-schemas.ts';
import { fuzzRounds } from '../../../support/sidecar-random.ts';

const numRuns = fuzzRounds(4_000, 200_000);

describe('frames', () => {
  it.each(Object.keys(FRAME) as (keyof typeof FRAME)[])('of type %s are accepted by check and schema', (name) => {
    fc.assert(
      fc.property(frameArbitraries[name] as fc.Arbitrary<readonly unknown[]>, (frame) => {
        expect(checkFrame(frame)).toBe(frame);
        expect(frameSchemas[name].safeParse(frame).success).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('that are nearly right are judged alike, as values and as decoded bytes', () => {
    let accepted = 0;
    let rejected = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: nearlyFrame }, { weight: 1, arbitrary: validFrame }), (value) => {
        const checked = checkFrame(value) !== undefined;
        expect(checked).toBe(frameSchema.safeParse(value).success);
        const decoded = decode(encode(value));
        expect(checkFrame(decoded) !== undefined).toBe(frameSchema.safeParse(decoded).success);
        if (checked) accepted += 1;
        else rejected += 1;
      }),
      { numRuns },
    );
    // The test is of no use when all fall on one side.
    expect(accepted).toBeGreaterThan(numRuns / 100);
    expect(rejected).toBeGreaterThan(numRuns / 10);
  }, 600_000);

  it('survive the codec unchanged', () => {
    fc.assert(fc.property(validFrame, (frame) => {
      const decoded = checkFrame(decode(encode(frame)));
      expect(decoded).toBeDefined();
      expect(decoded).toStrictEqual(decode(encode(decoded)));
      expect(JSON.stringify(decoded)).toBe(JSON.stringify(frame));
    }), { numRuns: 1_000 });
  });
});
