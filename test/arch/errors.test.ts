// The error table, its page and the places that use it agree.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERRORS, isErrorCode } from '../../core/errors/index.ts';
import { errorsPage } from '../../docs/generate-errors.ts';
import { PARTS, ROOT, sourceFiles } from '../support/supervisor-sources.ts';

/** Codes of the outside contract whose features are not built: each names what it waits for. A code that gets used must leave this list. */
const NOT_YET: Readonly<Record<string, string>> = {};

const files = PARTS.filter((part) => existsSync(join(ROOT, part))).flatMap((part) => sourceFiles(part)).filter(({ path }) => path !== 'core/errors/table.ts');
const codes = Object.keys(ERRORS);

/** Codes that code makes by name: a PlatformError, or a `fail` frame. */
const MADE = /new PlatformError\(\s*'([^']*)'|\[\s*FRAME\.fail\s*,[^,\]]+,\s*'([^']*)'/g;

describe('the error table', () => {
  it('has every code that code makes', () => {
    const made = files.flatMap(({ path, text }) => [...text.matchAll(MADE)].map(([, thrown, failed]) => ({ path, code: thrown ?? failed ?? '' })));
    expect(made.length).toBeGreaterThan(10);
    expect(made.filter(({ code }) => !isErrorCode(code))).toEqual([]);
  });

  it('has no code that nothing uses', () => {
    const unused = codes.filter((code) => !files.some(({ text }) => text.includes(`'${code}'`)));
    expect(unused.toSorted()).toEqual(Object.keys(NOT_YET).toSorted());
  });

  it('names codes in lower snake case, with a meaning and a fix', () => {
    for (const [code, spec] of Object.entries(ERRORS)) {
      expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
      expect(spec.meaning).toMatch(/\.$/);
      expect(spec.fix).toMatch(/\.$/);
      expect(spec.status).toBeGreaterThanOrEqual(400);
      expect(spec.status).toBeLessThanOrEqual(599);
    }
  });

  it('is what docs/errors.md says: npm run docs:errors', () => {
    expect(readFileSync(join(ROOT, 'docs', 'errors.md'), 'utf8')).toBe(errorsPage());
  });
});
