// Running a function now, through the gateway's dispatcher.
export { Invoker } from './invoker.ts';
export type { Outcome } from './invoker.ts';
export { pardonFunction } from './pardon.ts';
export { invokeFunction } from './invoke-function.ts';
export type { InvokeAnswer } from './invoke-function.ts';
