/** No room on the disk: one line, what there was stays, and with room the same command goes on to the same result. */
import { existsSync, readdirSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { testServer } from '../../node/hub/test-server.js';
import { writePublished } from '../../support/published-datasets.js';
import { outcomeOf, ptdpc, ptdpcJson, scratchPath, setUpProgram, startPtdpc } from '../program.js';
import { names, readRunFile, setUpModelAndImages, trainArgs } from '../tuning/support.js';
import {
  addTinyClip,
  expectDone,
  experimentArgs,
  fetchArgs,
  fill,
  lastLine,
  mayMount,
  resize,
  setUpDisks,
  WEIGHTS,
  withFilesUpTo,
} from './support.js';

setUpProgram();
const disks = setUpDisks();
setUpModelAndImages();
const server = testServer();

beforeAll(() => writePublished(scratchPath('sets/Twitter II'), 'twitter2'));

const FULL = /\(no space left on the disk\)$/;

/** Whether a task of the plan is done. */
function hasResult(runs: string): boolean {
  return existsSync(runs) && readdirSync(runs, { recursive: true }).some((name) => String(name).endsWith('-test.json'));
}

/** Starts a command, fills the disk as soon as `isTime`, and returns the line that it ends with. */
async function filledDuring(
  args: string[],
  disk: string,
  isTime: () => boolean,
  env?: NodeJS.ProcessEnv,
): Promise<string> {
  const outcome = outcomeOf(startPtdpc(args, env));
  await expect.poll(isTime, { timeout: 200_000, interval: 2 }).toBe(true);
  await fill(disk);
  return lastLine(await outcome);
}

const emptied = (disk: string) => rm(join(disk, 'filler'));

describe.skipIf(!mayMount)('a full disk', () => {
  test('convert says what it needs before it begins', async () => {
    const disk = disks.small('for-convert', '256k');
    const convert = ['convert', 'model', '--out', 'for-convert/a/out'];
    expect(lastLine(await ptdpc(convert))).toMatch(
      /^ptdpc: for-convert\/a\/out: needs \d\.\d MB, and its disk has 0\.3 MB left$/,
    );
    expect(await readdir(disk)).toEqual([]);
    resize(disk, '8m');
    await expectDone(convert);
    expect(await readdir(join(disk, 'a'))).toEqual(['out']);
  });

  test('fetch too, and goes on with what had arrived when it fills up on the way', async () => {
    const env = await addTinyClip(server());
    const disk = disks.small('for-fetch', '256k');
    expect(lastLine(await ptdpc(fetchArgs('for-fetch/out'), env))).toMatch(
      /^ptdpc: for-fetch\/out: needs \d\.\d MB, and its disk has 0\.\d MB left$/,
    );
    expect(server().ranges(WEIGHTS)).toEqual([]);
    resize(disk, '8m');
    server().bytesPerSecond = 500_000;
    const part = join(disk, '.out.partial/model.safetensors.part');
    expect(await filledDuring(fetchArgs('for-fetch/out'), disk, () => existsSync(part), env)).toMatch(FULL);
    await emptied(disk);
    server().bytesPerSecond = 0;
    await expectDone(fetchArgs('for-fetch/out'), env);
    expect(server().ranges(WEIGHTS)[1]).toMatch(/^bytes=[1-9]\d*-$/);
    expect((await readFile(join(disk, 'out/model.safetensors'))).equals(server().files.get(WEIGHTS) as Buffer)).toBe(
      true,
    );
    expect(await readdir(disk)).toEqual(['out']);
  });

  test('embed keeps the features that it has', async () => {
    const disk = disks.small('for-embed', '32k');
    await fill(disk);
    const embed = ['embed', '--model', 'model', 'data', '--device', 'cpu', '--out', 'for-embed/features'];
    expect(lastLine(await ptdpc(embed))).toMatch(FULL);
    expect(await readdir(disk)).toEqual(['filler']);
    await emptied(disk);
    expect(await ptdpcJson<object>(embed)).toMatchObject({ encoded: 0, cached: 30 });
    expect(await readdir(disk)).toEqual(['features']);
  });

  test('embed, of the cache', async () => {
    const disk = disks.small('for-cache', '16k');
    await fill(disk);
    const embed = ['embed', '--model', 'model', 'data', '--device', 'cpu', '--out', 'uncached', '--cache', 'for-cache'];
    const { stderr } = await expectDone(embed);
    expect(stderr).toMatch(
      /^features are not kept: .*for-cache\/.*: cannot be written \(no space left on the disk\); --cache <dir> /m,
    );
    expect(await names('for-cache')).toEqual(expect.arrayContaining(['filler']));
    await expectDone([...embed, '--no-cache']);
  });

  test('train keeps its epochs', async () => {
    const options = ['--epochs', '60', '--batch-size', '4', '--lr', '0.001'];
    await expectDone(trainArgs('straight', ...options));
    const disk = disks.small('for-train', '4m');
    const state = join(disk, 'run/state.safetensors');
    const train = trainArgs('for-train/run', ...options);
    expect(await filledDuring(train, disk, () => existsSync(state))).toMatch(FULL);
    // Still full: nothing gets worse.
    expect(lastLine(await ptdpc(train))).toMatch(FULL);
    await emptied(disk);
    const { stderr } = await expectDone(train);
    expect(stderr).toMatch(/^for-train\/run: resuming after epoch \d+ of 60$/m);
    for (const name of ['metrics.jsonl', 'prompts.safetensors', 'state.safetensors'])
      expect((await readRunFile('for-train/run', name)).equals(await readRunFile('straight', name)), name).toBe(true);
    expect(await names('for-train/run')).toEqual(await names('straight'));
  });

  test('experiment keeps its tasks', async () => {
    await expectDone(experimentArgs('straight-plan'));
    const disk = disks.small('for-plan', '4m');
    const experiment = experimentArgs('for-plan/plan');
    expect(await filledDuring(experiment, disk, () => hasResult(join(disk, 'plan/runs')))).toMatch(FULL);
    await emptied(disk);
    const { stderr } = await expectDone(experiment);
    expect(stderr).toMatch(/^\d tasks of \d, [1-9] done before$/m);
    expect(await readFile(join(disk, 'plan/table2/table2.tex'))).toEqual(
      await readFile(scratchPath('straight-plan/table2/table2.tex')),
    );
    expect(await readdir(join(disk, 'plan/claims'))).toEqual(await names('straight-plan/claims'));
  });
});

test('a limit on the size of files: nothing half-written', async () => {
  const tooLarge = /\(larger than the file system allows\)$/;
  expect(lastLine(await withFilesUpTo(256, ['convert', 'model', '--out', 'limited/out']))).toMatch(tooLarge);
  expect(existsSync(scratchPath('limited'))).toBe(false);
  const embed = ['embed', '--model', 'model', 'data', '--device', 'cpu', '--out', 'limited/file', '--no-cache'];
  expect(lastLine(await withFilesUpTo(2, embed))).toMatch(tooLarge);
  expect(existsSync(scratchPath('limited'))).toBe(false);
  expect(lastLine(await withFilesUpTo(4, trainArgs('limited-run', '--epochs', '2', '--no-cache')))).toMatch(tooLarge);
  expect((await names('limited-run')).filter((name) => name.startsWith('.'))).toEqual([]);
  await expectDone(trainArgs('limited-run', '--epochs', '2'));
});
