// One host process of any checkout behind the least that a gateway can be: what its loop spends on an invocation, and who waits for whom, without HTTP.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Protocol from '../../core/protocol/index.ts';
import type * as Versions from '../../core/versions/index.ts';

/** A checkout's own code at both ends of the socket: its frames may differ from ours. */
async function modulesOf(root: string): Promise<{ readonly protocol: typeof Protocol; readonly versions: typeof Versions }> {
  return {
    protocol: (await import(join(root, 'core/protocol/index.ts'))) as typeof Protocol,
    versions: (await import(join(root, 'core/versions/index.ts'))) as typeof Versions,
  };
}

export class BareHost {
  readonly #folder = mkdtempSync(join(tmpdir(), 'thimble-bare-host-'));
  readonly #protocol: typeof Protocol;
  readonly #versions: typeof Versions;
  readonly #servers: Server[] = [];
  readonly #waiting = new Map<number, (ok: boolean) => void>();
  #process!: ChildProcess;
  #connection: Protocol.FrameConnection | undefined;
  #journal = -1;
  #lastId = 0;
  #lastTarget = 0;

  private constructor(protocol: typeof Protocol, versions: typeof Versions) {
    this.#protocol = protocol;
    this.#versions = versions;
  }

  static async start(root: string): Promise<BareHost> {
    const { protocol, versions } = await modulesOf(root);
    const host = new BareHost(protocol, versions);
    await host.#start(root);
    return host;
  }

  async #start(root: string): Promise<void> {
    const flags = ['--no-node-snapshot', '--disable-warning=ExperimentalWarning'];
    const built = spawnSync(process.execPath, [...flags, join(root, 'isolates/platform/build.ts'), join(this.#folder, 'platform')], { encoding: 'utf8' });
    const { folder: platformFolder } = JSON.parse(built.stdout) as { folder: string };
    const { FRAME, JOURNAL_BYTES, listenPeers } = this.#protocol;
    const sockets = { gateway: join(this.#folder, 'g.sock'), control: join(this.#folder, 'c.sock'), sidecar: join(this.#folder, 's.sock') };
    const connected = Promise.withResolvers<void>();
    this.#servers.push(await listenPeers(sockets.gateway, { self: { role: 'gateway', name: 'gateway', epoch: 1 }, accepts: ['host'] }, {
      onOpen: (connection) => {
        this.#connection = connection;
        connected.resolve();
      },
      onFrame: (frame) => {
        if ((frame[0] === FRAME.respond && frame[6]) || frame[0] === FRAME.done) this.#settle(frame[1], true);
        else if (frame[0] === FRAME.fail) this.#settle(frame[1], false);
      },
      onClose: () => {},
    }));
    const journal = join(this.#folder, 'journal');
    writeFileSync(journal, Buffer.alloc(JOURNAL_BYTES));
    this.#journal = openSync(journal, 'r+');
    this.#process = spawn(process.execPath, [...flags, join(root, 'isolates/main.ts')], { stdio: ['ignore', 'ignore', 'inherit', 'ipc', this.#journal] });
    this.#process.send({
      type: 'boot',
      boot: { kind: 'host', name: 'host-1', group: 'default', logLevel: 'error', dataFolder: this.#folder, sockets, tier: 'default', tierKey: Buffer.alloc(32).toString('base64'), index: 1, journalFd: 4, platformFolder },
    });
    await connected.promise;
  }

  #settle(id: number, ok: boolean): void {
    this.#waiting.get(id)?.(ok);
    this.#waiting.delete(id);
  }

  /** @param body  statements that define `handler`, a fetch handler */
  deploy(name: string, body: string, tenant = 'default'): number {
    const { BUNDLE_PREFIX, BUNDLE_SUFFIX, versionFolder } = this.#versions;
    const code = `${BUNDLE_PREFIX}${body}\nmodule.exports = { default: { fetch: handler } };${BUNDLE_SUFFIX}`;
    const sha256 = createHash('sha256').update(code).digest('hex');
    const digest = `sha256-${sha256}`;
    const folder = versionFolder(this.#folder, 'default', digest);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'bundle.js'), code);
    writeFileSync(join(folder, 'bundle.js.map'), '{"version":3,"sources":[],"names":[],"mappings":""}');
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ format: 1, digest, bundleSha256: sha256, env: {}, bindings: {}, builtAt: '' }));
    this.#lastTarget += 1;
    this.#connection?.send([this.#protocol.FRAME.target, this.#lastTarget, {
      function: name, version: 1, digest, tenant, tier: 'default', debug: false, shape: 'auto', cpuMs: 1_000, memoryMb: 64, subrequests: 50, wasm: false, secrets: '', shadow: false,
    }]);
    return this.#lastTarget;
  }

  /** @returns milliseconds to the answer. Rejects when it is a failure */
  async call(target: number): Promise<number> {
    this.#lastId += 1;
    const id = this.#lastId;
    const startedMs = performance.now();
    const ok = await new Promise<boolean>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#connection?.send([this.#protocol.FRAME.invoke, id, target, 'GET\nhttp://f.localhost/', this.#protocol.BODY.none, null, 60_000]);
    });
    if (!ok) throw new Error('an invocation failed');
    return performance.now() - startedMs;
  }

  /** CPU time of the loop's thread so far, milliseconds. */
  loopCpuMs(): number {
    const pid = this.#process.pid as number;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    await new Promise((resolve) => this.#process.once('close', resolve));
    this.#connection?.destroy();
    for (const server of this.#servers) server.close();
    closeSync(this.#journal);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
