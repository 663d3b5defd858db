// What Linux tells about a process under /proc: when it started, and its resident memory.
import { readFileSync } from 'node:fs';

/** The process's start, in clock ticks since boot, as text. With the pid it names one process for good: pids are used again. Undefined: no such process, or a zombie. */
export function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name (field 2) may hold spaces and parentheses, so fields are counted from its last parenthesis: state is field 3, start time 22 (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Resident memory in bytes; 0 when the process is gone. */
export function residentBytes(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kilobytes === undefined ? 0 : Number(kilobytes) * 1_024;
  } catch {
    return 0;
  }
}
