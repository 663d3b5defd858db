// Is a port free? Asked before anything starts: uWebSockets.js shares ports (SO_REUSEPORT), so listening on a taken one would not fail.
import { createServer } from 'node:net';
import { PlatformError } from '../core/errors/index.ts';

/**
 * Opens the port without sharing and closes it again.
 *
 * @param setting  name of the setting that chose the port
 * @throws port_taken        another process listens there
 * @throws settings_invalid  the port may not be opened, or the host is no address of this machine
 */
export async function probePort(host: string, port: number, setting: string): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, resolve);
    });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'EADDRINUSE') throw new PlatformError('port_taken', { port, setting }, { cause });
    const error = code === 'EACCES'
      ? { path: setting, message: `port ${port} may not be opened by this user` }
      : { path: 'THIMBLE_HOST', message: `${host} is no address of this machine (${code})` };
    throw new PlatformError('settings_invalid', { errors: [error] }, { cause });
  }
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
}

/** A port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has an address with a port');
  return address.port;
}
