// What the addresses and answers of many endpoints have in common.
import { z } from 'zod';
import { functionNameSchema } from '../../core/schemas/index.ts';
import type { Written } from '../model/index.ts';
import type { Services } from './services.ts';

export const MIB = 1_048_576;
export const SETTINGS_BYTES = 4 * MIB;

export const NAME = z.strictObject({ name: functionNameSchema });
export const VERSION = NAME.extend({ version: z.string().regex(/^[1-9]\d{0,8}$/, 'must be a version number').transform(Number) });
export const NONE = z.strictObject({});
/** Of every write. */
export const RESULT = { revision: z.int(), applied: z.boolean() };

export async function acknowledged({ whenApplied }: Pick<Services, 'whenApplied'>, written: Written<unknown>): Promise<{ revision: number; applied: boolean }> {
  return { revision: written.revision, applied: await whenApplied(written.revision) };
}
