// Folders of the checkout.
import { join, resolve } from 'node:path';

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, '../..');
export const BENCH = join(ROOT, 'bench');
export const EXAMPLES = join(ROOT, 'examples');
