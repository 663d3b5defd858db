// The control plane's public face: what tests start in process. The supervisor starts main.ts.
export { startControlPlane } from './control-plane.ts';
export type { ControlPlane } from './control-plane.ts';
