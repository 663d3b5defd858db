// The same function files on Thimble and on Deno, Bun and workerd: answers alike, byte for byte, through the builder and the gateway.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootNode } from '../support/node.ts';
import type { TestNode } from '../support/node.ts';
import { CASES, ENVIRONMENT } from './cases.ts';
import { judge, unexplained } from './compare.ts';
import { observe, titleOf } from './exchange.ts';
import { readAnswers, readVersions, recordedNames } from './record.ts';

const HERE = import.meta.dirname;
const LIBRARY = 'lib';

const { dependencies } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8')) as { readonly dependencies: Readonly<Record<string, string>> };

describe('the record', () => {
  test('is of the versions that package.json names', () => {
    expect(readVersions()).toEqual(dependencies);
    for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d/);
  });
  test('holds each request of each function', () => {
    expect(recordedNames()).toEqual(CASES.map(({ name }) => name));
    for (const { name, exchanges } of CASES) expect([name, Object.keys(readAnswers(name))]).toEqual([name, exchanges.map(titleOf)]);
  });
  test('differs between the peers just where it is said whom we follow and why', () => {
    expect(unexplained(new Map(CASES.map(({ name }) => [name, readAnswers(name)]))).wrong).toEqual([]);
  });
});

describe('Thimble answers as the record says', () => {
  let node: TestNode;
  const library = Object.fromEntries(readdirSync(join(HERE, 'functions', LIBRARY)).map((file) => [`${LIBRARY}/${file}`, readFileSync(join(HERE, 'functions', LIBRARY, file), 'utf8')]));

  beforeAll(async () => {
    node = await bootNode();
  });
  afterAll(async () => node.stop());

  test.each(CASES)('$name', async ({ name, exchanges }) => {
    await node.deploy(name, { [`${name}.ts`]: readFileSync(join(HERE, 'functions', `${name}.ts`), 'utf8'), ...library }, { env: ENVIRONMENT, limits: { cpuMs: 10_000 } });
    const observation = await observe({ port: node.port, headers: { 'x-thimble-function': name } }, exchanges);
    expect(judge(name, readAnswers(name), observation).wrong.join('\n')).toBe('');
  });
});
