/** What several test files run as a whole, built from the sources once for all of them: the command line, and the page. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build as bundle } from 'esbuild';
import { build as buildPage } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the bundled command line, whose entry is `main.js`. */
    program: string;
    /** The folder of the built page. */
    page: string;
  }
}

const ROOT = new URL('../..', import.meta.url).pathname;

/** Runs before the first test file; what it returns runs after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Inside the repository, so that the bundle finds the packages and package.json.
  await mkdir(join(ROOT, '.cache'), { recursive: true });
  const folder = await mkdtemp(join(ROOT, '.cache/test-build-'));
  const program = join(folder, 'program');
  const page = join(folder, 'page');
  // Vitest says "test", for which Vite would build a page to be developed.
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production';
  await Promise.all([
    bundle({
      entryPoints: [join(ROOT, 'src/cli/main.ts')],
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node22',
      packages: 'external',
      outdir: program,
      logLevel: 'silent',
    }),
    buildPage({ root: join(ROOT, 'web'), logLevel: 'error', build: { outDir: page, emptyOutDir: true } }),
  ]);
  process.env.NODE_ENV = NODE_ENV;
  project.provide('program', program);
  project.provide('page', page);
  return () => rm(folder, { recursive: true, force: true });
}
