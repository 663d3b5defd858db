// Names of uploaded files.
import { z } from 'zod';

/** A relative path of plain segments: no `..`, no backslash, no control character, not absolute. */
export const filePathSchema = z
  .string()
  .min(1)
  .max(512)
  // eslint-disable-next-line no-control-regex -- control characters are just what is refused
  .refine((path) => !/[\u0000-\u001f\u007f\\]/.test(path), 'must not hold control characters or backslashes')
  .refine((path) => path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..'), 'must be a relative path without . and .. segments');
