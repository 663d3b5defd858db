// The admin token and the node key: given by settings, or generated once into the data folder for their owner's eyes only.
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { PlatformError } from '../core/errors/index.ts';
import { replaceFileSync } from '../core/files/index.ts';
import { randomToken } from '../core/ids/index.ts';

const KEY_BYTES = 32;

/**
 * The secret that `given` or else `file` holds; generated into `file` (mode 0600, flushed) when neither does.
 * The caller holds the data lock, so that nobody else generates it at the same time.
 *
 * @param setting  name of the setting, for the message
 * @throws settings_invalid  the file is there but empty or unreadable: generating another would lock out what the first one sealed
 */
export function ensureSecret(setting: string, given: string | undefined, file: string): string {
  if (given !== undefined) return given;
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
    // A restored backup may have opened it to others.
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw new PlatformError('settings_invalid', { errors: [{ path: setting, message: `${file} cannot be read` }] }, { cause });
    text = randomToken(KEY_BYTES);
    replaceFileSync(file, `${text}\n`, 0o600);
  }
  if (text === '') throw new PlatformError('settings_invalid', { errors: [{ path: setting, message: `${file} is empty: restore it, or remove it to have a new one` }] });
  return text;
}
