import { defineConfig } from 'vitest/config';

/** The package by its own name, as the examples import it: its sources, so that no test depends on an older build. */
const source = (path: string) => new URL(`src/${path}`, import.meta.url).pathname;

export default defineConfig({
  resolve: {
    alias: [
      { find: /^ptdpc$/, replacement: source('index.ts') },
      { find: /^ptdpc\/(node|demo)$/, replacement: source('$1/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/build.ts',
    setupFiles: 'test/support/equality.ts',
    // A software adapter shares the machine's cores with the test workers: two at a time is the useful limit.
    maxWorkers: 2,
    // A hang is what these are for; a loaded machine may be slow.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
