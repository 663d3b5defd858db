// The exchange engine: calls of hosts in, replies out, whatever the client kind.
export type { Call, CallTask, MiddlewareClient } from './client.ts';
export { DEFAULT_LIMITS } from './admission.ts';
export type { AdmissionLimits } from './admission.ts';
export { SidecarServer } from './server.ts';
export type { SidecarServerOptions } from './server.ts';
export { ControlLink } from './control-link.ts';
