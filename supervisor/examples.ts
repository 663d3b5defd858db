// The demo: upstream services for the example `card`, and the deployment of all examples on the first start.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../core/log/index.ts';
import { ControlClient } from './control-client.ts';
import { deployExamples, readExamples, redeployWithEnv } from './example-deploy.ts';
import { openExampleState, saveExampleState } from './example-state.ts';
import { programPath } from './node-plan.ts';
import type { ProcessPlan, SupervisedProcess } from './supervised-process.ts';

export interface Examples {
  /** The upstreams' addresses, for the egress allow-list. */
  readonly egress: readonly string[];
  readonly process: SupervisedProcess;
  /** Deploys what is missing; false when that failed, which is logged and tried again at the next start. */
  deploy(controlUrl: string, token: string, signal: AbortSignal): Promise<boolean>;
}

export interface ExampleOptions {
  readonly dataFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly start: (plan: ProcessPlan) => { readonly process: SupervisedProcess; readonly started: Promise<void> };
  readonly logger: Logger;
}

export async function startExamples({ dataFolder, environment, start, logger }: ExampleOptions): Promise<Examples> {
  const file = join(dataFolder, 'examples.json');
  const state = await openExampleState(file);
  const { products, users } = state.ports;
  const { process, started } = start({
    name: 'upstreams',
    command: { nodeFlags: ['--disable-warning=ExperimentalWarning'], entry: programPath('examples/upstreams/main'), args: [String(products), String(users)], environment },
  });
  // Awaited in `deploy`; a failure before that must not end the supervisor.
  started.catch(() => {});
  return {
    egress: [`127.0.0.1:${products}`, `127.0.0.1:${users}`],
    process,
    deploy: async (controlUrl, token, signal) => {
      try {
        await started;
        const client = new ControlClient(controlUrl, token, signal);
        const examples = readExamples(fileURLToPath(new URL('../examples', import.meta.url)), state.ports);
        if (state.deployedWith === null) {
          const deployed = await deployExamples(client, examples);
          logger.info({ deployed }, 'the examples are deployed');
        } else if (state.deployedWith.products !== products || state.deployedWith.users !== users) {
          await redeployWithEnv(client, 'card', examples.find((example) => example.name === 'card')?.settings.env ?? {});
          logger.info({ ports: state.ports }, 'the upstreams have new ports: card is deployed again');
        } else {
          return true;
        }
        saveExampleState(file, { ports: state.ports, deployedWith: state.ports });
        return true;
      } catch (thrown) {
        if (!signal.aborted) logger.error({ err: thrown }, 'the examples could not be deployed');
        return false;
      }
    },
  };
}
