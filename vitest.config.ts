import { defineConfig } from 'vitest/config';

/** The package by its own name, as the examples import it: its sources, so that no test depends on an older build. */
const source = (path: string) => new URL(`src/${path}`, import.meta.url).pathname;

const PURE = ['clip', 'demo', 'encoders', 'kernels', 'lab', 'ptdpc', 'report', 'tensor'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

export default defineConfig({
  resolve: {
    alias: [
      { find: /^ptdpc$/, replacement: source('index.ts') },
      { find: /^ptdpc\/(node|demo)$/, replacement: source('$1/index.ts') },
    ],
  },
  test: {
    // Tests of pure modules share a module graph, which saves a sixth of the time; the others change the process or start programs.
    projects: [
      { extends: true, test: { name: 'library', include: PURE, isolate: false } },
      {
        extends: true,
        test: { name: 'process', include: ['test/**/*.test.ts'], exclude: PURE, globalSetup: 'test/support/build.ts' },
      },
    ],
    setupFiles: 'test/support/equality.ts',
    // Mesa's llvmpipe compiles each kernel to machine code; without optimisation that takes two thirds of the time, and cases are small.
    env: { GALLIVM_PERF: 'nopt' },
    // A software adapter shares the machine's cores with the test workers: two at a time is the useful limit.
    maxWorkers: 2,
    // A hang is what these are for; a loaded machine may be slow.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
