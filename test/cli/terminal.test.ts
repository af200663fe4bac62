/** Folders of classes whose names would steer a terminal: no command prints them as they are, in text or in JSON. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { writePublished } from '../support/published-datasets.js';
import { ptdpc, scratchPath, setUpProgram } from './program.js';
import { makeModel, noisyPng } from './tuning/support.js';

setUpProgram();

/** Sets a window's title; turns red, in the older form of one control character; clears the screen. */
const HOSTILE = ['title \u001b]0;x\u0007', 'red \u009b31m', 'clear \u001b[2J\u007f'];

/** Control characters, but for line ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

beforeAll(async () => {
  await makeModel(scratchPath('model'));
  for (const [split, count] of [
    ['train', 3],
    ['test', 2],
  ] as const)
    for (const [channel, folder] of HOSTILE.entries()) {
      await mkdir(scratchPath(`data/${split}/${folder}`), { recursive: true });
      for (let i = 0; i < count; i++)
        await writeFile(scratchPath(`data/${split}/${folder}/${i}.png`), noisyPng(channel, 9 * i + channel));
    }
});

const TRAINING = ['--model', 'model', '--data', 'data', '--device', 'cpu', '--epochs', '1'];
const IMAGE = `data/test/${HOSTILE[0]}/0.png`;
const TEXTS: readonly string[][] = [
  ['data', 'data'],
  ['zeroshot', '--model', 'model', '--data', 'data', '--device', 'cpu'],
  ['train', ...TRAINING, '--out', 'run'],
  ['probe', ...TRAINING, '--out', 'probe'],
  ['eval', '--run', 'run', '--data', 'data', '--device', 'cpu'],
  ['predict', '--run', 'run', '--device', 'cpu', IMAGE],
  ['predict', '--run', 'probe', '--device', 'cpu', IMAGE],
  ['explain', '--run', 'run', '--device', 'cpu', IMAGE],
];

test.each(TEXTS.map((args) => [args[0]!, args] as const))('%s', async (_, args) => {
  const { code, stdout, stderr } = await ptdpc(args);
  expect(code, stderr).toBe(0);
  expect(stdout).not.toMatch(CONTROL);
  expect(stderr).not.toMatch(CONTROL);
  if (args[0] === 'train' || args[0] === 'probe') return;
  const json = await ptdpc([...args, '--json']);
  expect(json.code, json.stderr).toBe(0);
  expect(json.stdout).not.toMatch(CONTROL);
  // The escapes are JSON's own: read back, the names are what they were.
  expect(JSON.stringify(JSON.parse(json.stdout))).toContain('\\u001b');
  expect(json.stderr).not.toMatch(CONTROL);
});

test('collect, of a plan whose results have such words and name such files', async () => {
  await writePublished(scratchPath('sets/FI'), 'fi8', { perClass: { train: 3, val: 1, test: 2 } });
  await writeFile(scratchPath(`sets/FI/test/awe/${HOSTILE[2]}.jpg`), 'no picture');
  const plan = ['--data-root', 'sets', '--datasets', 'fi8', '--model', 'model', '--out', 'plan'];
  const short = ['--seeds', '1', '--epochs', '1', '--lr', '0.1', '--device', 'cpu'];
  const made = await ptdpc(['experiment', 'figure4', ...plan, ...short]);
  expect(made.code, made.stderr).toBe(0);
  expect(made.stdout).not.toMatch(CONTROL);
  expect(made.stderr).not.toMatch(CONTROL);
  // As whoever passes a plan on could.
  const runs = scratchPath('plan/runs');
  let changed = 0;
  for (const file of await readdir(runs, { recursive: true })) {
    if (!/results\/.*\.json$/.test(file)) continue;
    const text = await readFile(join(runs, file), 'utf8');
    await writeFile(join(runs, file), text.replaceAll('"awe"', JSON.stringify(HOSTILE[0])));
    changed++;
  }
  expect(changed).toBeGreaterThan(0);
  const { code, stdout, stderr } = await ptdpc(['experiment', 'collect', '--out', 'plan']);
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('title');
  expect(stdout).not.toMatch(CONTROL);
  expect(stderr).not.toMatch(CONTROL);
  const json = await ptdpc(['experiment', 'collect', '--out', 'plan', '--json']);
  expect(json.code, json.stderr).toBe(0);
  expect(json.stdout).not.toMatch(CONTROL);
  expect(JSON.stringify(JSON.parse(json.stdout))).toContain('\\u001b');
});
