/** Output where nothing can be written: refused in one line, before any work, and nothing changes. */
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { testServer } from '../../node/hub/test-server.js';
import { writePublished } from '../../support/published-datasets.js';
import { ptdpc, scratchPath, setUpProgram } from '../program.js';
import { setUpModelAndImages, trainArgs } from '../tuning/support.js';
import { addTinyClip, expectDone, experimentArgs, fetchArgs, lastLine, setUpDisks, WEIGHTS } from './support.js';

setUpProgram();
const disks = setUpDisks();
setUpModelAndImages();
const server = testServer();

beforeAll(async () => {
  await writePublished(scratchPath('sets/Twitter II'), 'twitter2');
  await expectDone(trainArgs('run', '--epochs', '1'));
  await mkdir(scratchPath('closed'));
  await writeFile(scratchPath('closed/file'), 'kept');
  await cp(scratchPath('run'), scratchPath('closed/run'), { recursive: true });
  disks.readOnly('closed');
});

const REFUSED = /(?:a read-only file system|permission denied)\)$/;

const embed = (...options: string[]) => ['embed', '--model', 'model', 'data', '--device', 'cpu', ...options];

test.each([
  ['convert', ['convert', 'model', '--out', 'closed/a/model']],
  ['embed', embed('--out', 'closed/features')],
  ['embed, below', embed('--out', 'closed/a/b/features')],
  ['embed, in the place of a file', embed('--out', 'closed/file')],
  ['train', trainArgs('closed/new', '--epochs', '1')],
  ['train, an earlier run', trainArgs('closed/run', '--epochs', '1')],
  ['eval', ['eval', '--run', 'closed/run', '--data', 'data', '--device', 'cpu']],
  [
    'probe',
    ['probe', '--model', 'model', '--data', 'data', '--epochs', '1', '--out', 'closed/probe', '--device', 'cpu'],
  ],
  ['experiment', experimentArgs('closed/plan')],
  ['report', ['report', '--run', 'closed/run']],
])('%s', async (_name, args) => {
  const before = await readdir(scratchPath('closed'), { recursive: true });
  const line = lastLine(await ptdpc(args));
  expect(line).toMatch(/^ptdpc: (?:--out )?\/?.*closed/);
  expect(line).toMatch(REFUSED);
  expect(await readdir(scratchPath('closed'), { recursive: true })).toEqual(before);
});

test('fetch, before it asks for weights', async () => {
  const line = lastLine(await ptdpc(fetchArgs('closed/fetched'), await addTinyClip(server())));
  expect(line).toMatch(REFUSED);
  expect(server().ranges(WEIGHTS)).toEqual([]);
});

test('a cache, where features would be kept: it is not needed', async () => {
  const { code, stderr } = await ptdpc(embed('--out', 'features', '--cache', 'closed/cache'));
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /^features are not kept: .*cannot be written \((?:a read-only file system|permission denied)\); --cache <dir> keeps them elsewhere$/m,
  );
  expect(stderr.match(/features are not kept/g)).toHaveLength(1);
});

test.runIf(process.platform === 'linux')('a folder that says of new names that they do not exist', async () => {
  for (const args of [
    ['convert', 'model', '--out', '/proc/x/model'],
    embed('--out', '/proc/x/features'),
    trainArgs('/proc/x/run'),
    experimentArgs('/proc/x/plan'),
  ]) {
    expect(lastLine(await ptdpc(args))).toMatch(/\/proc\/x.*\(no such file or folder\)$/);
  }
  expect(lastLine(await ptdpc(fetchArgs('/proc/x/model'), await addTinyClip(server())))).toMatch(
    /\/proc\/x\/model: .*\(no such file or folder\)$/,
  );
});
