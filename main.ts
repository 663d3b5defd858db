// The composition root: runs a node with the settings of the environment. The only module above the parts.
import { runNode } from './supervisor/index.ts';

process.title = 'thimble supervisor';
process.exit(await runNode(process.env));
