// The sidecar process.
import { runChild } from '../core/process/index.ts';
import { startSidecar } from './start.ts';

await runChild('sidecar', startSidecar);
