// From uploaded files to a bundle: one classic script in the form that core/versions documents, with its source map.
import type { BuildOptions, Message } from 'esbuild';
import { z } from 'zod';
import { PlatformError } from '../../core/errors/index.ts';
import { BUNDLE_PREFIX, BUNDLE_SUFFIX } from '../../core/versions/index.ts';
import { BuildTimeout, BuilderLost, EsbuildService, isBuildFailure } from './esbuild-service.ts';
import type { EsbuildServiceOptions } from './esbuild-service.ts';
import { NAMESPACE, virtualFiles } from './virtual-files.ts';

export interface Built {
  readonly bundle: string;
  /** Source map, version 3; its sources are the paths of the uploaded files. */
  readonly map: string;
  /** Milliseconds from the start of the build to its end, waiting for a place included. */
  readonly buildMs: number;
}

/** Errors that an answer lists. */
const MAX_ERRORS = 50;
const MAX_ERROR_CHARACTERS = 1_024;

const OPTIONS: BuildOptions = {
  bundle: true,
  write: false,
  // The script is the body of a function that gets `module` and `exports`.
  format: 'cjs',
  platform: 'neutral',
  conditions: ['workerd', 'worker', 'browser', 'import'],
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
  logLimit: MAX_ERRORS,
  // No look at a tsconfig.json on disk.
  tsconfigRaw: { compilerOptions: { target: 'es2023', useDefineForClassFields: true } },
  metafile: true,
};

const DEFINE = { 'import.meta.url': '"file:///bundle.js"', 'process.env.NODE_ENV': '"production"' };
/** Only where a file names it: an object adds a module to every bundle. */
const META_ENV = { 'import.meta.env': JSON.stringify({ MODE: 'production', PROD: true, DEV: false, SSR: true }) };

export class Builder {
  readonly #service: EsbuildService;

  constructor(options?: EsbuildServiceOptions) {
    this.#service = new EsbuildService(options);
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
   * Bundles `files` from `main` on.
   *
   * @throws build_failed  each error with file, line (from 1), column (from 1) and text
   */
  async build(files: Readonly<Record<string, string>>, main: string): Promise<Built> {
    const startedMs = performance.now();
    try {
      const all = new Map(Object.entries(files));
      const define = [...all.values()].some((text) => text.includes('import.meta.env')) ? { ...DEFINE, ...META_ENV } : DEFINE;
      const result = await this.#service.build({ ...OPTIONS, define, entryPoints: [main], outfile: '/bundle.js', plugins: [virtualFiles(all, main)] });
      const text = (ending: string): string => result.outputFiles?.find((file) => file.path.endsWith(ending))?.text ?? '';
      // Modules are strict, scripts are not: what was all modules stays strict although it becomes a script.
      const strict = Object.values(result.metafile?.inputs ?? {}).every((input) => input.format !== 'cjs');
      const head = strict ? `${BUNDLE_PREFIX}\n"use strict";\n` : `${BUNDLE_PREFIX}\n`;
      const bundle = `${head}${text('bundle.js')}${BUNDLE_SUFFIX}\n`;
      return { bundle, map: shiftMap(text('bundle.js.map'), strict ? 2 : 1), buildMs: Math.round((performance.now() - startedMs) * 10) / 10 };
    } catch (thrown) {
      throw toBuildFailed(thrown, main);
    }
  }
}

const mapSchema = z.looseObject({ mappings: z.string(), sources: z.array(z.string()) });

/** Lower by the lines before esbuild's own, and sources by the author's paths. */
function shiftMap(text: string, lines: number): string {
  const map = mapSchema.parse(JSON.parse(text));
  return JSON.stringify({ ...map, sources: map.sources.map(withoutNamespace), mappings: ';'.repeat(lines) + map.mappings });
}

function withoutNamespace(path: string): string {
  return path.startsWith(`${NAMESPACE}:`) ? path.slice(NAMESPACE.length + 1) : path;
}

function toBuildFailed(thrown: unknown, main: string): unknown {
  if (thrown instanceof BuildTimeout || thrown instanceof BuilderLost) {
    return new PlatformError('build_failed', { errors: [{ file: main, line: 1, column: 1, text: thrown.message }] }, { cause: thrown });
  }
  if (!isBuildFailure(thrown)) return thrown;
  const errors = thrown.errors.slice(0, MAX_ERRORS).map((message) => toPlace(message, main));
  return new PlatformError('build_failed', { errors });
}

function toPlace({ location, text }: Message, main: string): { file: string; line: number; column: number; text: string } {
  const short = text.replaceAll(`${NAMESPACE}:`, '').slice(0, MAX_ERROR_CHARACTERS);
  if (location === null) return { file: main, line: 1, column: 1, text: short };
  // esbuild counts bytes from 0; editors count characters from 1.
  const column = Buffer.from(location.lineText).subarray(0, location.column).toString().length + 1;
  return { file: withoutNamespace(location.file), line: location.line, column, text: short };
}
