// The supervisor: one call runs a node, another a command on its data.
export { runCommand } from './commands/index.ts';
export { runNode } from './run.ts';
