// Memory of one tenant: what N called functions add to the resident memory of all processes of an empty node.
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchContext } from '../lib/context.ts';
import { deployFresh } from '../lib/fresh-functions.ts';
import { call } from '../lib/http.ts';
import { formatTable } from '../lib/table.ts';
import { startThimble } from '../lib/thimble-node.ts';

/** For buffers of the start and of the last requests to be freed. */
const SETTLE_MS = 3_000;
const MB = 1_048_576;

export async function memory(context: BenchContext): Promise<void> {
  const { options, results } = context;
  const example = context.example('hello');
  const expectBody = await context.expectedBody(example);
  const node = await startThimble({ THIMBLE_EXAMPLES: '0' });
  try {
    await sleep(SETTLE_MS);
    const emptyBytes = node.residentBytes();
    const names = await deployFresh(node, example, 'tenant-', options.tenants);
    await sleep(SETTLE_MS);
    const deployedBytes = node.residentBytes();
    for (const name of names) {
      const answer = await call({ port: node.port, path: example.path, headers: { host: `${name}.localhost:${node.port}` } });
      if (answer.status !== 200 || answer.body !== expectBody) throw new Error(`${name} answered ${answer.status} ${answer.body}`);
    }
    await sleep(SETTLE_MS);
    const fullBytes = node.residentBytes();
    const perTenantMb = (fullBytes - emptyBytes) / MB / names.length;
    results.figure('tenant_resident_mb', perTenantMb);
    results.add('memory', { tenants: names.length, empty_bytes: emptyBytes, deployed_bytes: deployedBytes, called_bytes: fullBytes, resident_mb_per_tenant: perTenantMb });
    console.log(`\nmemory, ${names.length} tenants of hello, each called once`);
    console.log(formatTable(['node', 'resident MB', 'MB a tenant'], [
      ['empty', emptyBytes / MB, undefined],
      ['deployed', deployedBytes / MB, (deployedBytes - emptyBytes) / MB / names.length],
      ['called', fullBytes / MB, perTenantMb],
    ]));
  } finally {
    await node.stop();
  }
}
