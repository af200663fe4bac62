/** Pipes, devices and links where files are expected: nothing waits, nothing is written in another place. */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { writeFileAtomically } from '../../src/node/atomic.js';
import { readText } from '../../src/node/checkpoint-files.js';
import { openDataset } from '../../src/node/datasets.js';
import { openFileSource } from '../../src/node/file-source.js';
import { listImages, readImageFile } from '../../src/node/image-files.js';
import { RunDirectory } from '../../src/node/run-directory.js';
import { readRunRecord } from '../../src/node/run-record.js';
import { encodeTrainingState } from '../../src/ptdpc/index.js';
import { expectInputError } from '../clip/checkpoint/support.js';
import { RUN_IMAGES, RUN_SIZE, runRecord, stateAfter } from '../support/run-record.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();

beforeAll(() => {
  execFileSync('mkfifo', [scratch('pipe')]);
});

test('a pipe is refused by every reader, not waited for', async () => {
  const pipe = scratch('pipe');
  await expectInputError(openFileSource(pipe), /pipe: expected a file, found a pipe/);
  await expectInputError(readText(pipe), /pipe: expected a file, found a pipe/);
  await expectInputError(readImageFile(pipe), /pipe: expected an image file, found a pipe/);
  await expectInputError(readImageFile(scratch('')), /expected an image file, found a folder/);
  await expectInputError(openFileSource('/dev/zero'), /zero: expected a file, found a device/);
});

test('a path with a zero byte, as a file may name one, is refused by every reader', async () => {
  const path = scratch('a\0b');
  await expectInputError(openFileSource(path), /a\\u0000b: cannot be opened/);
  await expectInputError(readText(path), /a\\u0000b: cannot be opened/);
  await expectInputError(readImageFile(path), /a\\u0000b: cannot be opened/);
  await expectInputError(openDataset(path), /a\\u0000b: cannot be opened/);
});

test('a device or a pipe is not replaced by a file', async () => {
  await expectInputError(
    writeFileAtomically('/dev/null', 'x'),
    /null: expected the name of a file to write, found a device/,
  );
  await expectInputError(
    writeFileAtomically(scratch('pipe'), 'x'),
    /pipe: expected the name of a file to write, found a pipe/,
  );
});

test('links between folders, two in each, are not followed in all their combinations', async () => {
  const depth = 40;
  for (let i = 0; i < depth; i++) await mkdir(scratch(`maze/${i}`), { recursive: true });
  for (let i = 0; i + 1 < depth; i++) {
    for (const name of ['a', 'b']) await symlink(scratch(`maze/${i + 1}`), scratch(`maze/${i}/${name}`));
  }
  await writeFile(scratch(`maze/${depth - 1}/x.jpg`), '');
  // Found once, under the path where it really is, although 2^39 others lead to it.
  expect(await listImages([scratch('maze')])).toEqual([scratch(`maze/${depth - 1}/x.jpg`)]);
  expect(await listImages([scratch('maze/0')])).toHaveLength(1);
});

test('a folder named like an image is a folder; a class outside the data is refused', async () => {
  for (const folder of ['data/train/awe/x.jpg', 'data/train/joy', 'elsewhere'])
    await mkdir(scratch(folder), { recursive: true });
  for (const file of ['data/train/awe/x.jpg/1.jpg', 'data/train/awe/y.jpg', 'data/train/joy/z.jpg', 'elsewhere/w.jpg'])
    await writeFile(scratch(file), '');
  const { splits } = await openDataset(scratch('data'));
  const names = splits.train?.map(({ path }) => path.slice(scratch('data/train/').length));
  expect(names).toEqual(['awe/x.jpg/1.jpg', 'awe/y.jpg', 'joy/z.jpg']);
  await expectInputError(
    openDataset(scratch('data'), { classes: '../../elsewhere=elsewhere' }),
    /class "\.\.\/\.\.\/elsewhere" is not in the data set/,
  );
});

const record = runRecord();

test('a run whose metrics are a link elsewhere does not have the other file cut', async () => {
  await mkdir(scratch('run'));
  await writeFile(scratch('run/run.json'), JSON.stringify(record));
  await writeFile(scratch('run/state.safetensors'), await encodeTrainingState(stateAfter(1), 5));
  await writeFile(scratch('precious'), 'precious text');
  await symlink(scratch('precious'), scratch('run/metrics.jsonl'));
  const run = await RunDirectory.open(scratch('run'), record, RUN_IMAGES, RUN_SIZE);
  await expectInputError(run.begin(), /run\/metrics\.jsonl: expected a file, found a link; delete it/);
  expect(await readFile(scratch('precious'), 'utf8')).toBe('precious text');
});

test('a run.json of values that JavaScript cannot print is refused', async () => {
  await cp(scratch('run'), scratch('odd'), { recursive: true });
  const odd = { toString: 1, valueOf: 1 };
  for (const changed of [
    { ...record, options: { ...record.options, mode: odd } },
    { ...record, images: { train: odd, val: null } },
    { ...record, classes: [odd] },
  ]) {
    await writeFile(scratch('odd/run.json'), JSON.stringify(changed));
    await expectInputError(readRunRecord(scratch('odd')), /odd\/run\.json: expected the record of a run/);
    await expectInputError(
      RunDirectory.open(scratch('odd'), record, RUN_IMAGES, RUN_SIZE),
      /odd\/run\.json: expected the record/,
    );
  }
});

test('few modules write to files, and each says where: the others use those', async () => {
  const writing = /\b(?:open|openSync|writeFile|appendFile|copyFile|truncate|createWriteStream|symlink|link)\b/;
  const found: string[] = [];
  for (const folder of ['src/node', 'src/cli']) {
    for (const name of await readdir(folder, { recursive: true })) {
      if (!name.endsWith('.ts')) continue;
      const text = await readFile(join(folder, name), 'utf8');
      const imports = [...text.matchAll(/import \{([^}]*)\} from 'node:fs(?:\/promises)?';/g)];
      if (imports.some(([, names]) => writing.test(names!))) found.push(join(folder, name));
    }
  }
  expect(found.sort()).toEqual([
    // A file that the user names, with --profile.
    'src/cli/device.ts',
    'src/node/atomic.ts',
    // The scenes of a demonstration, in a folder that was empty.
    'src/node/demo-scenes.ts',
    // Reads.
    'src/node/file-source.ts',
    // In the private folder of a partial download.
    'src/node/hub/download.ts',
    'src/node/hub/fetch-model.ts',
    'src/node/lock.ts',
    'src/node/own-files.ts',
  ]);
});
