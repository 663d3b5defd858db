// From uploaded files to a bundle: one classic script in the form that core/versions documents, with its source map.
import type { BuildOptions, BuildResult, Metafile } from 'esbuild';
import { z } from 'zod';
import { PlatformError } from '../../core/errors/index.ts';
import { ASYNC_BUNDLE_PREFIX, BUNDLE_PREFIX, BUNDLE_SUFFIX } from '../../core/versions/index.ts';
import { BuildTimeout, BuilderLost, EsbuildService, isBuildFailure } from './esbuild-service.ts';
import type { EsbuildServiceOptions } from './esbuild-service.ts';
import { injections } from './injections.ts';
import { NODE_NAMESPACE, bundleNodeModules, nodeModulePath } from './node-bundle.ts';
import { MAX_PLACES, placeOf } from './places.ts';
import { buildReport } from './report.ts';
import type { BuildReport } from './report.ts';
import { bundleTesting, withTests } from './test-files.ts';
import { UploadResolver } from './upload-resolver.ts';
import { ENTRY, Findings, NAMESPACE, keptRefusals, uploadedPath, virtualFiles } from './virtual-files.ts';

export interface Built {
  readonly bundle: string;
  /** Source map, version 3; its sources are the paths of the uploaded files. */
  readonly map: string;
  /** Milliseconds from the start of the build to its end, waiting for a place included. */
  readonly buildMs: number;
  readonly report: BuildReport;
}

/** Attempts at one build: each thing that only an attempt can tell makes another one necessary, and there are four such things. */
const MAX_ATTEMPTS = 6;
/** After this time, milliseconds, no further attempt begins. */
const MAX_ATTEMPTS_MS = 20_000;

const OPTIONS: BuildOptions = {
  bundle: true,
  write: false,
  platform: 'neutral',
  // Resolution is the plugin's alone.
  conditions: [],
  mainFields: [],
  // V8 12.4, the engine of Node 22: newer syntax is lowered, nothing else is.
  target: 'chrome124',
  charset: 'utf8',
  legalComments: 'none',
  // Names are kept as they are without it, since nothing is minified; with it every function pays a call at start.
  keepNames: false,
  minify: false,
  treeShaking: true,
  sourcemap: 'external',
  // The files are stored with the version: stacks need places, not a second copy of the text.
  sourcesContent: false,
  logLevel: 'silent',
  // More than an answer lists: an attempt learns from its errors.
  logLimit: 1_000,
  // No look at a tsconfig.json on disk.
  tsconfigRaw: { compilerOptions: { target: 'es2023', useDefineForClassFields: true } },
  metafile: true,
};

/** `await` of the engine cannot be followed, so that code which uses AsyncLocalStorage has its async functions built on promises' `then`. */
const LOWERED = { 'async-await': false, 'async-generator': false, 'for-await': false };

/** How a bundle is built; each begins as most are and is changed by what an attempt shows. */
interface Form {
  /** esbuild writes no top-level await into CommonJS, so then the script is made of a module without exports. */
  topLevelAwait: boolean;
  lowered: boolean;
  mainIsCommonJs: boolean;
}

export class Builder {
  readonly #service: EsbuildService;
  /** For what a build itself waits for: with places of its own, so that no build waits for one that waits for it. */
  readonly #inner: EsbuildService;
  #nodeModules: Promise<ReadonlyMap<string, string>> | undefined;
  #testing: Promise<string> | undefined;

  constructor(options?: EsbuildServiceOptions) {
    this.#service = new EsbuildService(options);
    this.#inner = new EsbuildService(options);
  }

  get restarts(): number {
    return this.#service.restarts;
  }

  async warm(): Promise<void> {
    await this.#service.warm();
  }

  async stop(): Promise<void> {
    await this.#service.stop();
  }

  /**
   * Bundles `files` from `main` on, with what they import of the packages among them and of Node's modules.
   *
   * @throws build_failed  each error with file, line (from 1), column (from 1) and text
   */
  async build(files: Readonly<Record<string, string>>, main: string): Promise<Built> {
    const startedMs = performance.now();
    try {
      const all = new Map(Object.entries(files));
      const { result, form } = await this.#attempts(all, main);
      const { code, map } = form.topLevelAwait && form.lowered ? await this.#lower(outputOf(result)) : outputOf(result);
      // Modules are strict, scripts are not: what was all modules stays strict although it becomes a script.
      const strict = uploaded(result.metafile).every(([, input]) => input.format !== 'cjs');
      const prefix = form.topLevelAwait ? ASYNC_BUNDLE_PREFIX : BUNDLE_PREFIX;
      const head = strict ? `${prefix}\n"use strict";\n` : `${prefix}\n`;
      const bundle = `${head}${code}${BUNDLE_SUFFIX}\n`;
      const shifted = shiftMap(map, strict ? 2 : 1);
      const report = await buildReport({ files: all, main, bundle, map: shifted, metafile: result.metafile, warnings: result.warnings });
      const buildMs = Math.round((performance.now() - startedMs) * 10) / 10;
      return { bundle, map: shifted, buildMs, report: { ...report, buildMs } };
    } catch (thrown) {
      throw toBuildFailed(thrown, main);
    }
  }

  /**
   * Bundles the test files among `files` with what they import: a program that answers as control/builder/testing/handler.ts says.
   *
   * @throws build_failed
   */
  async buildTests(files: Readonly<Record<string, string>>, tests: readonly string[]): Promise<Built> {
    this.#testing ??= bundleTesting(this.#inner);
    let testing: string;
    try {
      testing = await this.#testing;
    } catch (error) {
      this.#testing = undefined;
      throw error;
    }
    const program = withTests(files, tests, testing);
    return await this.build(program.files, program.main);
  }

  /** Builds until an attempt shows nothing that another form would need. */
  async #attempts(files: ReadonlyMap<string, string>, main: string): Promise<{ readonly result: BuildResult; readonly form: Form }> {
    const injected = await injections(files, this.#inner);
    const resolver = new UploadResolver(files);
    const findings = new Findings();
    const startedMs = performance.now();
    const form: Form = { topLevelAwait: false, lowered: false, mainIsCommonJs: false };
    for (let attempt = 1; ; attempt++) {
      if (performance.now() - startedMs > MAX_ATTEMPTS_MS) throw new BuildTimeout(`the build took longer than ${MAX_ATTEMPTS_MS} ms`);
      const plugin = virtualFiles({ files, main, resolver, findings, nodeModules: () => this.#node(), mainIsCommonJs: form.mainIsCommonJs });
      const options: BuildOptions = {
        ...OPTIONS,
        ...injected,
        ...(form.topLevelAwait ? { format: 'esm' } : { format: 'cjs' }),
        ...(form.lowered && !form.topLevelAwait ? { supported: LOWERED } : {}),
        entryPoints: [form.topLevelAwait ? ENTRY : main],
        outfile: '/bundle.js',
        plugins: [plugin],
      };
      try {
        const result = await this.#service.build(options);
        if (attempt >= MAX_ATTEMPTS || !changedByResult(result.metafile, main, form, findings)) return { result, form };
      } catch (thrown) {
        if (attempt >= MAX_ATTEMPTS || !changedByFailure(thrown, form, findings)) throw thrown;
      }
    }
  }

  /** esbuild lowers no top-level await, but it lowers that of a function: so the module becomes one first. */
  async #lower({ code, map }: Output): Promise<Output> {
    const inlined = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(shiftMap(map, 1)).toString('base64')}`;
    const contents = `return (async () => {\n${code}\n})();\n${inlined}\n`;
    const { target = '' } = OPTIONS;
    return outputOf(await this.#service.build({ stdin: { contents, sourcefile: 'bundle.js' }, write: false, outfile: '/bundle.js', target, supported: LOWERED, charset: 'utf8', sourcemap: 'external', sourcesContent: false, logLevel: 'silent', tsconfigRaw: {} }));
  }

  async #node(): Promise<ReadonlyMap<string, string>> {
    this.#nodeModules ??= bundleNodeModules(this.#inner);
    try {
      return await this.#nodeModules;
    } catch (error) {
      this.#nodeModules = undefined;
      throw error;
    }
  }
}

interface Output {
  readonly code: string;
  readonly map: string;
}

function outputOf({ outputFiles }: BuildResult): Output {
  const text = (ending: string): string => outputFiles?.find((file) => file.path.endsWith(ending))?.text ?? '';
  return { code: text('bundle.js'), map: text('bundle.js.map') };
}

function changedByResult(metafile: Metafile | undefined, main: string, form: Form, findings: Findings): boolean {
  const before = JSON.stringify(form) + findings.kept.size;
  const inBundle = Object.values(metafile?.outputs ?? {}).flatMap((output) => Object.entries(output.inputs).filter(([, input]) => input.bytesInOutput > 0)).map(([id]) => id);
  for (const site of keptRefusals(inBundle)) findings.kept.add(site);
  const asyncHooks = [false, true].map((required) => `${NODE_NAMESPACE}:${nodeModulePath('async_hooks', required)}`);
  if (inBundle.some((id) => asyncHooks.includes(id))) form.lowered = true;
  if (form.topLevelAwait && uploaded(metafile).some(([path, input]) => path === main && input.format === 'cjs')) form.mainIsCommonJs = true;
  return JSON.stringify(form) + findings.kept.size !== before;
}

const TOP_LEVEL_AWAIT = 'Top-level await is currently not supported with the "cjs" output format';

function changedByFailure(thrown: unknown, form: Form, findings: Findings): boolean {
  if (!isBuildFailure(thrown)) return false;
  const before = JSON.stringify(form) + findings.unguarded.size;
  for (const { text, location } of thrown.errors) {
    if (text === TOP_LEVEL_AWAIT) form.topLevelAwait = true;
    if (location === null) continue;
    const importer = uploadedPath(location.file);
    for (const site of findings.left) {
      const [kind = '', ...rest] = site.split(':');
      const specifier = rest.join(':').slice(0, -importer.length - 1);
      if (site === `${kind}:${specifier}:${importer}` && text.startsWith(`Could not resolve ${JSON.stringify(specifier)}`)) findings.unguarded.add(site);
    }
  }
  return JSON.stringify(form) + findings.unguarded.size !== before;
}

/** The uploaded files among the inputs. */
function uploaded(metafile: Metafile | undefined): [string, Metafile['inputs'][string]][] {
  return Object.entries(metafile?.inputs ?? {}).filter(([id]) => id.startsWith(`${NAMESPACE}:`)).map(([id, input]) => [uploadedPath(id), input]);
}

const mapSchema = z.looseObject({ mappings: z.string(), sources: z.array(z.string()) });

/** Lower by the lines before esbuild's own, and sources by the author's paths. */
function shiftMap(text: string, lines: number): string {
  const map = mapSchema.parse(JSON.parse(text));
  return JSON.stringify({ ...map, sources: map.sources.map(uploadedPath), mappings: ';'.repeat(lines) + map.mappings });
}

function toBuildFailed(thrown: unknown, main: string): unknown {
  if (thrown instanceof BuildTimeout || thrown instanceof BuilderLost) {
    return new PlatformError('build_failed', { errors: [{ file: main, line: 1, column: 1, text: thrown.message }] }, { cause: thrown });
  }
  if (!isBuildFailure(thrown)) return thrown;
  const errors = thrown.errors.slice(0, MAX_PLACES).map((message) => placeOf(message, main));
  return new PlatformError('build_failed', { errors });
}
