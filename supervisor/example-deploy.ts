// Deploys the example functions as any user would: over the control REST API.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { filePathSchema, functionPutSchema } from '../core/schemas/index.ts';
import type { FunctionPut } from '../core/schemas/index.ts';
import type { ControlClient } from './control-client.ts';
import type { UpstreamPorts } from './example-state.ts';

/** `thimble.json` of an example: the main file of its `function/` folder, and the function's settings. */
const manifestSchema = functionPutSchema.extend({ main: filePathSchema });

export interface Example {
  readonly name: string;
  readonly main: string;
  readonly settings: FunctionPut;
  /** Text of every file below `function/`, by its path there. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Reads every folder below `folder` that has a `thimble.json`. In `env`, `${PRODUCTS_URL}` and `${USERS_URL}` stand for the upstreams of the demo.
 *
 * @throws ZodError  a manifest is wrong: a defect of the package
 */
export function readExamples(folder: string, ports: UpstreamPorts): readonly Example[] {
  const urls: Readonly<Record<string, string>> = { PRODUCTS_URL: `http://127.0.0.1:${ports.products}`, USERS_URL: `http://127.0.0.1:${ports.users}` };
  return readdirSync(folder)
    .filter((name) => statSync(join(folder, name, 'thimble.json'), { throwIfNoEntry: false }) !== undefined)
    .map((name) => {
      const { main, ...settings } = manifestSchema.parse(JSON.parse(readFileSync(join(folder, name, 'thimble.json'), 'utf8')));
      if (settings.env !== undefined) {
        settings.env = Object.fromEntries(Object.entries(settings.env).map(([key, text]) => [key, text.replaceAll(/\$\{(\w+)\}/g, (whole, variable: string) => urls[variable] ?? whole)]));
      }
      return { name, main, settings, files: readFiles(join(folder, name, 'function')) };
    });
}

function readFiles(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [relative(folder, path).replaceAll('\\', '/'), readFileSync(path, 'utf8')]));
}

const versionListSchema = z.object({ items: z.array(z.unknown()) });

/**
 * Deploys those examples that have no version yet; a function that the user made under the same name stays as it is.
 *
 * @returns names of those deployed
 * @throws ControlCallFailed
 */
export async function deployExamples(client: ControlClient, examples: readonly Example[]): Promise<readonly string[]> {
  const names = await Promise.all(
    examples.map(async ({ name, main, settings, files }) => {
      const there = await client.call('GET', `/v1/functions/${name}/versions`, undefined, [404]);
      if (there.status === 200 && versionListSchema.parse(there.body).items.length > 0) return [];
      await client.call('PUT', `/v1/functions/${name}`, settings);
      await client.call('POST', `/v1/functions/${name}/versions?activate=true`, { files, main, message: 'example' });
      return [name];
    }),
  );
  return names.flat();
}

const functionSchema = z.object({
  env: z.record(z.string(), z.string()).default({}),
  traffic: z.object({ split: z.array(z.object({ version: z.int() })) }).nullish(),
});

/**
 * Gives the deployed example `name` new values of its environment, as a new version of the code that is live now.
 * Does nothing when the user has deleted the function.
 *
 * @throws ControlCallFailed
 */
export async function redeployWithEnv(client: ControlClient, name: string, env: Readonly<Record<string, string>>): Promise<void> {
  const there = await client.call('GET', `/v1/functions/${name}`, undefined, [404]);
  if (there.status === 404) return;
  const current = functionSchema.parse(there.body);
  const live = current.traffic?.split[0]?.version;
  if (live === undefined) return;
  await client.call('PUT', `/v1/functions/${name}`, { env: { ...current.env, ...env } });
  await client.call('POST', `/v1/functions/${name}/versions?activate=true`, { from: live, message: 'the ports of the upstreams changed' });
}
