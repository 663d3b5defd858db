// The composition root: runs a node with the settings of the environment, or the command that the arguments name. The only module above the parts.
import { runCommand, runNode } from './supervisor/index.ts';

const args = process.argv.slice(2);
if (args.length === 0) {
  process.title = 'thimble supervisor';
  process.exit(await runNode(process.env));
}
process.exitCode = await runCommand(args, { environment: process.env, out: (line) => void process.stdout.write(`${line}\n`), error: (line) => void process.stderr.write(`${line}\n`) });
