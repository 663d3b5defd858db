// The environment, by argument and by `process.env`.
import { report } from './lib/report.ts';

export default {
  async fetch(_request: Request, env: Record<string, string>): Promise<Response> {
    return report({
      'argument': () => [env['GREETING'], env['EMPTY'], env['SNOWMAN'], env['MISSING']],
      'argument has': () => ['GREETING' in env, 'MISSING' in env],
      'process.env': () => [process.env['GREETING'], process.env['EMPTY'], process.env['MISSING']],
      'process.env destructured': () => {
        const { GREETING } = process.env;
        return GREETING;
      },
      'typeof': () => [typeof process, typeof process.env, typeof process.env['GREETING']],
    });
  },
};
