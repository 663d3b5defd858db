// `thimble audit verify`: whether the audit trail of a data folder, or of an exported file, is whole.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { verifyDataFolder, verifyExport } from '../../control/offline/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import { USAGE } from './command.ts';
import type { Command, CommandIo } from './command.ts';

const HEAD = /^(\d{1,12}):([0-9a-f]{64})$/;

export const audit: Command = {
  usage: ['thimble audit verify FILE [--head SEQUENCE:HASH]', 'thimble audit verify [--data FOLDER] [--head SEQUENCE:HASH]'],
  run: async (args, io) => {
    const asked = parse(args);
    if (asked === undefined) {
      for (const line of audit.usage) io.error(`usage: ${line}`);
      return USAGE;
    }
    const { file, head } = asked;
    const folder = resolve(asked.data ?? io.environment['THIMBLE_DATA'] ?? './data');
    try {
      const verdict = file === undefined ? { ...(await verifyDataFolder(folder, head)), first: 1 } : await verifyExport(file, head);
      return tell(verdict, file ?? folder, io);
    } catch (thrown) {
      // What the store throws speaks of changes; its cause says what is wrong.
      const cause = thrown instanceof PlatformError && thrown.cause instanceof Error ? thrown.cause : thrown;
      io.error(`thimble: the audit trail in ${file ?? folder} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
      return USAGE;
    }
  },
};

function parse(args: readonly string[]): { readonly file: string | undefined; readonly data: string | undefined; readonly head: { readonly sequence: number; readonly hash: string } | undefined } | undefined {
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { data: { type: 'string' }, head: { type: 'string' } } });
    const [verb, file, ...more] = positionals;
    const [, sequence = '', hash = ''] = HEAD.exec(values.head ?? '') ?? [];
    if (verb !== 'verify' || more.length > 0 || (file !== undefined && values.data !== undefined) || (values.head !== undefined && hash === '')) return undefined;
    return { file, data: values.data, head: values.head === undefined ? undefined : { sequence: Number(sequence), hash } };
  } catch {
    return undefined;
  }
}

function tell({ rows, first, head, broken, why }: Awaited<ReturnType<typeof verifyExport>>, where: string, { out, error }: CommandIo): number {
  if (broken !== null) {
    error(`BROKEN at row ${broken} of ${where}: ${why ?? ''} (${rows} rows before it hold)`);
    return 1;
  }
  const from = first === null || first === 1 ? '' : `, from row ${first} on`;
  out(`OK: ${rows} rows hold${from}`);
  out(`head ${head.sequence}:${head.hash}`);
  return 0;
}
