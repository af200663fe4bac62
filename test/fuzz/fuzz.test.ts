/** A short round of the fuzzer on every parser, and the fuzzer on parsers that are known to be at fault. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mutate } from '../../fuzz/mutate.js';
import { mutateJson } from '../../fuzz/mutate-json.js';
import { PARSERS } from '../../fuzz/parsers/index.js';
import { Random } from '../../fuzz/random.js';
import type { Result } from '../../fuzz/watchdog.js';

const root = new URL('../../', import.meta.url).pathname;
let folder: string;

beforeAll(async () => {
  // Inside the package, where Node finds the packages that the bundles import.
  folder = mkdtempSync(join(root, 'node_modules', '.ptdpc-fuzz-'));
  await build({
    entryPoints: [join(root, 'fuzz', 'main.ts'), join(root, 'test', 'fuzz', 'faulty.ts')],
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    packages: 'external',
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    entryNames: '[name]',
    logLevel: 'silent',
  });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (file: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(folder, file), ...args], { encoding: 'utf8', cwd: folder, maxBuffer: 2 ** 26 });

test('100 cases of every parser: read, or rejected as they should be', () => {
  const { stdout, stderr, status } = run('main.mjs', '--cases', '100', '--seed', '1', '--json');
  expect(stderr).toBe('');
  const results = JSON.parse(stdout) as (Result & { parser: string })[];
  expect(results.map(({ parser }) => parser)).toEqual(PARSERS.map(({ name }) => name));
  for (const { parser, read, rejected, failures } of results) {
    expect(failures, parser).toEqual([]);
    expect(read + rejected, parser).toBe(100);
    // The round means something: there are good files among the cases, and, but for texts, bad ones.
    expect(read, parser).toBeGreaterThan(0);
    if (parser !== 'text') expect(rejected, parser).toBeGreaterThan(0);
  }
  expect(status).toBe(0);
});

test('crashes, hangs, memory and unclear messages are found, and the cases after them still run', () => {
  const { stdout, stderr } = run('faulty.mjs');
  const results = stdout.split('\n').filter(Boolean);
  const problems = results.map((line) => {
    const { parser, failures } = JSON.parse(line) as Result & { parser: string };
    return [parser, failures.length, failures[0]?.index, failures[0]?.problem.split('\n')[0]];
  });
  expect(problems, stderr).toEqual([
    ['crashes', 1, 3, 'TypeError: x is not a function'],
    ['hangs', 1, 3, 'still running after 2000 ms'],
    ['allocates', 1, 3, expect.stringMatching(/^took \d+ bytes of memory, more than 1048576, for 1$/)],
    // A busy machine takes longer than the limit to fill it.
    ['fills the heap', 1, 3, expect.stringMatching(/^the thread ended: ERR_WORKER_OUT_OF_MEMORY|^still running/)],
    ['says nothing', 1, 3, 'a message that does not name the file: damaged'],
    ['says too much', 1, 3, expect.stringMatching(/^a message of 5007 characters: input: x/)],
  ]);
});

test('a case depends on its parser, seed and number alone', () => {
  const input = (seed: number, index: number) =>
    mutate(new Uint8Array(100), Random.ofCase('png', seed, index), new Uint8Array(50));
  expect(input(1, 5)).toEqual(input(1, 5));
  expect(new Set([0, 1, 2, 3, 4].map((index) => String(input(1, index)))).size).toBe(5);
  expect(input(2, 5)).not.toEqual(input(1, 5));
  const text = '{"a":[1,2,{"b":null}],"c":"d"}';
  const json = Array.from({ length: 200 }, (_, i) => mutateJson(text, Random.ofCase('json', 1, i)));
  expect(json).toEqual(Array.from({ length: 200 }, (_, i) => mutateJson(text, Random.ofCase('json', 1, i))));
  // Well-formed, whatever it says, and mostly not what it was.
  for (const changed of json) expect(() => JSON.parse(changed)).not.toThrow();
  expect(json.filter((changed) => changed === text).length).toBeLessThan(40);
});
