// node:os: a function is told nothing of the machine that it runs on.
import type * as nodeOs from 'node:os';
import * as unenv from 'unenv/node/os';

const os = unenv.default as unknown as typeof nodeOs;

export const { EOL, arch, availableParallelism, constants, cpus, devNull, endianness, freemem, getPriority, homedir, loadavg, machine, networkInterfaces, platform, release, setPriority, tmpdir, totalmem, type, uptime, userInfo, version } = os;
export const hostname = (): string => 'localhost';
export default { ...os, hostname };
