/** A run on disk, ended at every point between the files that an epoch writes. */
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { RunDirectory, readRunPrompts } from '../../src/node/run-directory.js';
import { type RunImage, readRunImages } from '../../src/node/run-images.js';
import { type PromptsRecord, readPromptsRecord } from '../../src/node/run-record.js';
import { tuningOptions } from '../../src/ptdpc/index.js';
import { expectInputError } from '../clip/checkpoint/support.js';
import {
  contentOf,
  epochOf,
  learnedAfter,
  RUN_IMAGES,
  RUN_SHAPE,
  RUN_SIZE,
  runImagesOf,
  runRecord,
  stateAfter,
  stepOf,
} from '../support/run-record.js';
import { goneTag, leftBehind } from './gone-process.js';

let root: string;
let path: string;
let made = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'run-'));
});
beforeEach(() => {
  path = join(root, `run-${made++}`);
});
afterAll(() => rm(root, { recursive: true }));

const open = (overrides?: Partial<PromptsRecord>, images: readonly RunImage[] = RUN_IMAGES) =>
  RunDirectory.open(path, runRecord(overrides), images, RUN_SIZE);

/** Writes epochs [from, to) as training does. */
async function write(run: RunDirectory, from: number, to: number): Promise<void> {
  for (let epoch = from; epoch < to; epoch++) {
    run.step(stepOf(epoch));
    await run.epoch(epochOf(epoch), stateAfter(epoch + 1), learnedAfter(epoch + 1));
  }
}

const contents = async () =>
  Promise.all((await readdir(path)).sort().map(async (name) => [name, await readFile(join(path, name), 'latin1')]));

test('goes on from its last epoch, with numbers to the last bit', async () => {
  const run = await open();
  expect(run.state).toBeUndefined();
  await run.begin();
  expect(await run.lastEpoch()).toBeUndefined();
  await write(run, 0, 2);
  const again = await open();
  await again.begin();
  expect(again.state).toEqual(stateAfter(2));
  expect(await again.lastEpoch()).toEqual(epochOf(1));
  expect(await readRunPrompts(path)).toMatchObject({ epochs: 2, shape: RUN_SHAPE, prompts: stateAfter(2).prompts });
  expect(await readPromptsRecord(path)).toEqual(runRecord());
  expect(await readRunImages(path)).toEqual(RUN_IMAGES);
});

test('ended between any two writes of an epoch, it still ends the same', async () => {
  const straight = await open();
  await straight.begin();
  await write(straight, 0, 2);
  const two = path;
  await write(straight, 2, 3);
  const whole = await contents();

  // What an epoch writes, in order, each time with the file that was being written.
  const written = ['metrics.jsonl', 'prompts.safetensors', 'state.safetensors'];
  for (let finished = 0; finished <= written.length; finished++) {
    path = join(root, `ended-${finished}`);
    const before = await open();
    await before.begin();
    await write(before, 0, 2);
    for (const name of written.slice(0, finished)) await cp(join(two, name), join(path, name));
    if (finished === 0) await appendFile(join(path, 'metrics.jsonl'), '{"type":"step","ep');
    else await writeFile(leftBehind(join(path, written[finished] ?? 'confusion.json')), 'half');
    const after = await open();
    await after.begin();
    expect(after.state?.epochs).toBe(finished === 3 ? 3 : 2);
    await write(after, after.state!.epochs, 3);
    expect(await contents()).toEqual(whole);
  }
});

test('refuses a folder of something else, but not what a killed start left behind', async () => {
  await write(await open(), 0, 1);
  await rm(join(path, 'run.json'));
  await expectInputError(open(), /run\.json: not found/);

  path = join(root, 'left');
  await write(await open(), 0, 0);
  for (const name of ['run.json', 'images.csv']) await rm(join(path, name));
  await writeFile(leftBehind(join(path, 'run.json')), '{');
  await writeFile(join(path, '.lock'), goneTag);
  await RunDirectory.requirePlace(path);
  {
    await using _claim = await RunDirectory.claim(path);
    await (await open()).begin();
    expect((await readdir(path)).sort()).toEqual(['.lock', 'images.csv', 'run.json']);
  }
  expect(await readdir(path)).toEqual(['images.csv', 'run.json']);
  for (const name of ['run.json', 'images.csv']) await rm(join(path, name));
  await writeFile(join(path, 'notes.txt'), '');
  await expectInputError(open(), /left: the folder is not empty/);
  await expectInputError(RunDirectory.requirePlace(join(path, 'notes.txt')), /found a file/);
});

test('names what differs from the run that is there, once it has an epoch', async () => {
  await open({ options: tuningOptions('official') });
  const run = await open();
  await write(run, 0, 1);
  const { images } = runRecord();
  const changes: [Partial<PromptsRecord>, RegExp][] = [
    [
      { options: tuningOptions('paper', { epochs: 5, seed: 3 }) },
      /it holds a run with --seed 0, not 3; choose another folder$/,
    ],
    [{ options: tuningOptions('paper', { epochs: 5, shuffle: false }) }, /a run with --shuffle, not --no-shuffle;/],
    [{ model: { directory: '/model', sha256: 'def' } }, /another model \(abc, now def\)/],
    [{ images: { ...images, train: 8 } }, /another number of training images \(7, now 8\)/],
    [{ images: { ...images, val: 2 } }, /another number of validation images \(null, now 2\)/],
    [{ dataset: { setting: 'fi8', origin: { kind: 'given' } } }, /another data set \(folders, now fi8\)/],
    [
      { dataset: { setting: 'folders', origin: { kind: 'seeded', seed: 1 } } },
      /another split \(split as given by its files, now split by seed 1\)/,
    ],
    [{ device: { kind: 'webgpu', description: '' } }, /another device \(cpu, now webgpu\)/],
  ];
  for (const [change, message] of changes) await expectInputError(open(change), message);
  // Options are known without the images, so before they are encoded.
  const { options } = runRecord();
  await RunDirectory.requireOptions(path, options);
  await RunDirectory.requireOptions(join(path, 'nowhere'), options);
  await expectInputError(
    RunDirectory.requireOptions(path, { ...options, epochs: options.epochs + 5 }),
    `--out ${path}: it holds a run with --epochs ${options.epochs}, not ${options.epochs + 5}; choose another folder`,
  );
  // Neither where things lie, nor what computes them how, changes the result.
  const moved = { directory: '/elsewhere', sha256: 'abc' };
  await open({ model: moved, data: '/moved', program: '9', memory: 2, strict: true });
  await expectInputError(
    RunDirectory.open(path, runRecord(), RUN_IMAGES, RUN_SIZE + 1),
    /state\.safetensors: expected 25 numbers/,
  );
});

test('a run is of its images, by content and class in order, wherever they lie', async () => {
  const validation = runImagesOf('val', ['v', 'w']);
  const start = (train: readonly RunImage[], val: readonly RunImage[] = validation) => {
    const images = { train: train.length, val: val.length, trainSha256: contentOf(train), valSha256: contentOf(val) };
    return open({ images }, [...train, ...val]);
  };
  await write(await start(RUN_IMAGES), 0, 1);
  const run = path;
  const [first, ...others] = RUN_IMAGES;
  const changed = runImagesOf('train', ['a', 'b', 'new', 'd', 'e', 'newer', 'g']);
  await expectInputError(
    start(changed),
    `--out ${run}: it holds a run with other training images (2 of 7, the first is train/awe/new.jpg); choose another folder`,
  );
  const relabelled = [{ ...first!, class: 'great_joy' }, ...others];
  await expectInputError(start(relabelled), /other training images \(1 of 7, the first is train\/awe\/a\.jpg\)/);
  await expectInputError(
    start([...others, first!]),
    /other training images \(the same ones in another order or with other votes\)/,
  );
  await expectInputError(
    start(RUN_IMAGES, runImagesOf('val', ['v', 'x'])),
    /other validation images \(1 of 2, the first is val\/great_joy\/x\.jpg\)/,
  );
  const moved = RUN_IMAGES.map((image) => ({ ...image, path: `elsewhere/${image.sha256}.jpg` }));
  expect((await start(moved)).state).toEqual(stateAfter(1));
});

test('a run of an earlier version, which does not say of which images it is, is read but not resumed', async () => {
  await write(await open(), 0, 1);
  const { images: _, ...record } = runRecord();
  await writeFile(join(path, 'run.json'), JSON.stringify({ ...record, images: { train: 7, val: null } }));
  await rm(join(path, 'images.csv'));
  expect(await readRunImages(path)).toBeUndefined();
  expect((await readPromptsRecord(path)).images).toEqual({ train: 7, val: null, trainSha256: null, valSha256: null });
  await expectInputError(open(), /an earlier version made this run .* cannot be resumed; choose another folder$/);
});

test('what runs of before called published is published only where the data set has lists of its splits', async () => {
  const originOf = async (dataset: object) => {
    await rm(path, { recursive: true, force: true });
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'run.json'), JSON.stringify({ ...runRecord(), dataset }));
    return (await readPromptsRecord(path)).dataset.origin;
  };
  expect(await originOf({ setting: 'fi8', origin: { kind: 'published' } })).toEqual({ kind: 'given' });
  expect(await originOf({ setting: 'emotionroi6', origin: { kind: 'published' } })).toEqual({ kind: 'published' });
  const fold = { fold: 2, folds: 5 };
  const twitter = { setting: 'twitter1', origin: { kind: 'published-fold', ...fold } };
  expect(await originOf(twitter)).toEqual({ kind: 'given-fold', ...fold });
});

test('one process at a time, and no folder stays behind for nothing', async () => {
  {
    await using _claim = await RunDirectory.claim(path);
    await expectInputError(RunDirectory.claim(path), new RegExp(`: process ${process.pid} is writing it; wait`));
  }
  await expect(readdir(path)).rejects.toThrow('ENOENT');
});

test('refuses a list of images that is not UTF-8', async () => {
  const run = join(root, 'encoded');
  await mkdir(run);
  const head = 'split,class,sha256,path\n';
  const line = (name: string) => `train,awe,${'0'.repeat(64)},awe/${name}.jpg\n`;
  await writeFile(join(run, 'images.csv'), Buffer.from(head + line('a') + line('\xe9'), 'latin1'));
  await expectInputError(
    readRunImages(run),
    /images\.csv: line 3: expected UTF-8 text, found other bytes; save it as UTF-8/,
  );
  await writeFile(join(run, 'images.csv'), head + line('a') + line('\xe9'));
  expect(await readRunImages(run)).toHaveLength(2);
});
