// Writes docs/errors.md from the error table: `npm run docs:errors`. A test fails when the two differ.
import { writeFileSync } from 'node:fs';
import { ERRORS } from '../core/errors/index.ts';
import type { ErrorSpec } from '../core/errors/index.ts';

const WHOSE = { caller: 'the caller', tenant: 'the function', platform: 'the platform' } as const;

/** Vertical bars end a table cell. */
const cell = (text: string): string => text.replaceAll('|', String.raw`\|`);

/** The whole page. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([code, spec]: [string, ErrorSpec]) => {
    const retry = spec.retryable ? (spec.retryAfterS === undefined ? 'yes' : `yes, after ${spec.retryAfterS} s`) : 'no';
    return `| \`${code}\` | ${spec.status} | ${WHOSE[spec.fault]} | ${retry} | ${cell(spec.meaning)} | ${cell(spec.fix)} |`;
  });
  return `# Errors

Generated from \`core/errors/table.ts\` by \`npm run docs:errors\`. Codes are stable: they are never renamed and never used again for something else. Branch on \`code\`, not on texts.

Over HTTP a failure is \`application/problem+json\` (RFC 9457) with \`type\`, \`title\`, \`status\`, \`code\`, \`detail\` and \`retryable\`; \`invalid\` and \`build_failed\` add \`errors\`.
"Whose" says who can mend it. "Retry" says whether the same request may succeed when it is sent again unchanged; a time is the default of \`Retry-After\`.

| code | status | whose | retry | meaning | how to solve it |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

if (process.argv[1] === import.meta.filename) writeFileSync(new URL('errors.md', import.meta.url), errorsPage());
