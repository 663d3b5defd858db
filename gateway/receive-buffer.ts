// Bounds what the kernel buffers per client connection, so that pausing a request body really stops it.
//
// The listener's library reads a socket again and again for as long as a read fills its buffer of 512 KiB, also when the socket was
// paused in between: a fast client (measured: 150 MB from the same machine) lands in memory in one go. A kernel buffer that never holds
// 512 KiB ends that loop after one read. Accepted sockets inherit the size from the listening one; the library cannot set it, and Node
// has the call only for datagram sockets. So a child process inherits the listening socket and sets it there, which counts for all holders.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** The kernel doubles what it is told, for its own overhead: at most 384 KiB of data. Also the most that one connection has in flight. */
const RECEIVE_BYTES = 192 * 1_024;
const CHILD_MS = 5_000;

// uv_recv_buffer_size works for any socket; the handle behind a dgram socket is the only way to it.
const SCRIPT = `
const socket = require('node:dgram').createSocket('udp4');
const state = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'state symbol');
if (socket[state].handle.open(3) !== 0) process.exit(2);
socket.setRecvBufferSize(${RECEIVE_BYTES});
process.exit(socket.getRecvBufferSize() >= ${RECEIVE_BYTES} ? 0 : 3);
`;

/** Descriptors of this process that listen on a TCP port. More than one when the port is shared. */
function listeningDescriptors(port: number): number[] {
  const hexPort = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const LISTEN = '0A';
  const inodes = new Set<string>();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readFileSync(`/proc/self/net/${table}`, 'latin1').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === LISTEN && fields[1]?.endsWith(hexPort) === true && fields[9] !== undefined) inodes.add(`socket:[${fields[9]}]`);
    }
  }
  return readdirSync('/proc/self/fd').map(Number).filter((fd) => {
    try {
      return inodes.has(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      // The descriptor of the folder itself is gone by now.
      return false;
    }
  });
}

/**
 * Sets the receive buffer of the sockets that this process listens on at `port`.
 *
 * @returns whether it was done; if not, large uploads of very fast clients may take as much memory as they have bytes
 */
export async function boundReceiveBuffers(port: number): Promise<boolean> {
  let descriptors: number[];
  try {
    descriptors = listeningDescriptors(port);
  } catch {
    return false;
  }
  const done = await Promise.all(descriptors.map((fd) => new Promise<boolean>((resolve) => {
    const child = spawn(process.execPath, ['-e', SCRIPT], { stdio: ['ignore', 'ignore', 'ignore', fd], env: {}, timeout: CHILD_MS });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  })));
  return done.length > 0 && done.every(Boolean);
}
