// The supervisor: one call runs a node.
export { runNode } from './run.ts';
