import { mkdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { contentHash, hashFile, hashFiles } from '../../src/node/file-source.js';
import { expectInputError } from '../clip/checkpoint/support.js';
import { gitBlobId, sha256Of, someBytes } from '../support/hub-server.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();

test('hashes one file by either algorithm, and several files as one', async () => {
  const [first, second] = [someBytes(3_000_000), someBytes(10, 2)];
  await writeFile(scratch('first'), first);
  await writeFile(scratch('second'), second);
  expect(await hashFile(scratch('first'), 'sha-256', first.length)).toEqual(contentHash(sha256Of(first)));
  expect(await hashFile(scratch('first'), 'git-sha-1', first.length)).toEqual(contentHash(gitBlobId(first)));
  expect(await hashFiles([scratch('first'), scratch('second')])).toBe(sha256Of(Buffer.concat([first, second])));
  expect(await hashFiles([])).toBe(sha256Of(''));
});

test('names the file that cannot be read', async () => {
  await writeFile(scratch('there'), 'x');
  await mkdir(scratch('folder'));
  await expectInputError(
    hashFiles([scratch('there'), scratch('none')]),
    /none: cannot be read \(no such file or folder\)$/,
  );
  await expectInputError(hashFiles([scratch('folder')]), /folder: cannot be read \(it is a folder\)$/);
});
