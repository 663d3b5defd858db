// Entry of the control plane's process.
import { runChild } from '../core/process/index.ts';
import { startControlPlane } from './control-plane.ts';

await runChild('control', startControlPlane);
