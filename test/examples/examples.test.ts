/** The examples run as they are, and what they print means something. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = new URL('../..', import.meta.url).pathname;
/** Helpers of examples, which print nothing. */
const HELPERS = ['scenes.ts'];

let folder: string;
let names: string[];

beforeAll(async () => {
  names = (await readdir(join(ROOT, 'examples'))).filter((name) => name.endsWith('.ts') && !HELPERS.includes(name));
  await mkdir(join(ROOT, '.cache'), { recursive: true });
  folder = await mkdtemp(join(ROOT, '.cache/examples-test-'));
  await build({
    entryPoints: names.map((name) => join(ROOT, 'examples', name)),
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    packages: 'external',
    // The package by its own name, from its sources.
    alias: {
      'ptdpc/node': join(ROOT, 'src/node/index.ts'),
      'ptdpc/demo': join(ROOT, 'src/demo/index.ts'),
      ptdpc: join(ROOT, 'src/index.ts'),
    },
    outExtension: { '.js': '.mjs' },
    outdir: folder,
    logLevel: 'silent',
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const page = readFileSync(join(ROOT, 'docs/examples.md'), 'utf8');

/** What docs/examples.md says that an example prints. */
const documented = (name: string) => page.split(`examples/${name}.ts -->`)[1]?.match(/```txt\n([\s\S]*?)```/)?.[1];

/** Without what differs between processors: numbers, the device, and which words are nearest. */
const blanked = (printed = '') =>
  printed
    .replace(/, on .*/, '')
    .replace(/near .*/g, 'near')
    .replace(/-?\d+(\.\d+)?/g, '#');

/** Runs an example and returns what it printed, which is what the documentation shows. */
function run(name: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, `${name}.mjs`)], { encoding: 'utf8' });
  expect(stderr.replace(/^Warning: maxDynamic.*\n/gm, '')).toBe('');
  expect(status).toBe(0);
  expect(blanked(stdout)).toBe(blanked(documented(name)));
  return stdout;
}

/** The numbers that a pattern finds, one for each match. */
const numbers = (text: string, pattern: RegExp): number[] =>
  [...text.matchAll(pattern)].map(([, found]) => Number(found));

it('all are tested here', () => {
  const tested = ['embed', 'logistic-regression', 'own-kernel', 'read-prompts', 'training-loop', 'tune', 'zero-shot'];
  expect(names.map((name) => name.slice(0, -3)).sort()).toEqual(tested);
});

it('npm run example names what is no example, or that a name is missing, and what there is', () => {
  const refusal = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'scripts/example.mjs'), ...args], { encoding: 'utf8' });
  const list = names.map((name) => name.slice(0, -3)).join(', ');
  const usage = (problem: string) => `npm run example -- NAME: ${problem} expected one of ${list}\n`;
  expect(refusal('foo')).toMatchObject({ status: 2, stdout: '', stderr: usage('no example foo;') });
  expect(refusal('scenes')).toMatchObject({ status: 2, stderr: usage('no example scenes;') });
  expect(refusal()).toMatchObject({ status: 2, stderr: usage('which example?') });
});

it('embed: each scene is nearer to its own text', () => {
  const printed = run('embed');
  expect(printed).toMatch(/^features of 128 numbers, on /);
  const [day = 0, dayAtNight = 0, nightByDay = 0, night = 0] = numbers(printed, /(-?\d\.\d{3}) "/g);
  expect(day).toBeGreaterThan(dayAtNight);
  expect(night).toBeGreaterThan(nightByDay);
});

it('zero-shot: far above chance, with one template and with two', () => {
  const accuracies = numbers(run('zero-shot'), /accuracy (\d\.\d{3})/g);
  expect(accuracies).toHaveLength(2);
  for (const accuracy of accuracies) expect(accuracy).toBeGreaterThan(0.35);
});

it('tune: the loss falls, and tuned prompts beat zero-shot', () => {
  const printed = run('tune');
  const losses = numbers(printed, /loss (\d\.\d{4})/g);
  expect(losses).toHaveLength(6);
  expect(losses.at(-1)).toBeLessThan(losses[0]!);
  const [before = 1, after = 0] = numbers(printed, /(\d\.\d{3}) (?:before|after)/g);
  expect(after).toBeGreaterThan(before + 0.03);
  expect(printed).toMatch(/^the first scene: [a-z]+, probability 0\.\d{3}$/m);
});

it('training-loop: a loss that no preset has is learnt by it', () => {
  const printed = run('training-loop');
  const losses = numbers(printed, /loss (\d\.\d{4})/g);
  expect(losses.at(-1)).toBeLessThan(losses[0]!);
  const [before = 1, after = 0] = numbers(printed, /(\d\.\d{3}) (?:before|after)/g);
  expect(after).toBeGreaterThan(before + 0.03);
});

it('read-prompts: tokens moved, and have words and weights', () => {
  const printed = run('read-prompts');
  const moved = numbers(printed, /moved by (\d+\.\d+)/g);
  // Two classes of four tokens each, start-of-text among them.
  expect(moved).toHaveLength(8);
  for (const distance of moved) expect(distance).toBeGreaterThan(0);
  expect(printed).toMatch(/now near \S+ -?0\.\d\d, \S+ -?0\.\d\d$/m);
  expect(printed).toMatch(/^weights of the first scene: .*photo 0\.\d{3}/m);
});

it('own-kernel: right values, and a right gradient', () => {
  expect(run('own-kernel')).toBe('softplus [2, 2]: 0.0091 0.3466 2.0091 4.0002\ngradient right\n');
});

it('logistic-regression: the loss falls to nearly nothing', () => {
  const [first = 0, last = 1] = numbers(run('logistic-regression'), /(\d\.\d{4})/g);
  expect(first).toBeCloseTo(Math.log(2), 3);
  expect(last).toBeLessThan(0.1);
});
