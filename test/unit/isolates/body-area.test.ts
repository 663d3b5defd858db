// Digests for isolates: right ones, and nothing but a TypeError for arguments that no runtime of ours would give.
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { BodyArea } from '../../../isolates/operations/body-area.ts';
import { BODY_OP } from '../../../isolates/runtime/abi-bodies.ts';

it('digests what comes in pieces', () => {
  const area = new BodyArea();
  for (const algorithm of ['sha256', 'sha384', 'sha512']) {
    const number = area.run(BODY_OP.digestStart, null, algorithm, undefined);
    for (const piece of ['a', '', 'bc']) area.run(BODY_OP.digestUpdate, null, number, Buffer.from(piece));
    const digest = area.run(BODY_OP.digestEnd, null, number, undefined);
    expect(digest).toBeInstanceOf(ArrayBuffer);
    expect(Buffer.from(digest as ArrayBuffer).toString('hex')).toBe(createHash(algorithm).update('abc').digest('hex'));
  }
});

it('refuses everything else, and more than a few at once', () => {
  const area = new BodyArea();
  const number = area.run(BODY_OP.digestStart, null, 'sha256', undefined);
  const bad: [number, unknown, unknown][] = [
    [BODY_OP.digestStart, 'md5', undefined], [BODY_OP.digestStart, undefined, undefined], [BODY_OP.digestStart, { toString: () => 'sha256' }, undefined], [BODY_OP.digestUpdate, number, 'text'],
    [BODY_OP.digestUpdate, number, new Uint8Array(1_048_577)], [BODY_OP.digestUpdate, 99, new Uint8Array(1)], [BODY_OP.digestUpdate, String(number), new Uint8Array(1)], [BODY_OP.digestEnd, 99, undefined],
    [BODY_OP.digestEnd, null, undefined], [163, number, undefined], [191, undefined, undefined],
  ];
  for (const [code, a, b] of bad) expect(() => area.run(code, null, a, b)).toThrow(TypeError);
  expect(() => {
    for (let i = 0; i < 10; i++) area.run(BODY_OP.digestStart, null, 'sha256', undefined);
  }).toThrow(TypeError);
});
