/** Locks and temporary files of processes that run, that ended, and that cannot be known. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { createDirectoryAtomically, writeFileAtomically } from '../../src/node/atomic.js';
import { takeLock } from '../../src/node/lock.js';
import { isGone, processNumber, processTag } from '../../src/node/process-tag.js';
import { isTemporary, removeLeftBehind, temporaryPath } from '../../src/node/temporary-files.js';
import { expectInputError } from '../clip/checkpoint/support.js';
import { goneTag, leftBehind, tagOf } from './gone-process.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();

test('a tag tells a running process from one that ended, and from a later one with its number', () => {
  expect(processNumber(processTag())).toBe(process.pid);
  expect(isGone(processTag())).toBe(false);
  expect(isGone(goneTag)).toBe(true);
  // Only Linux tells when a process started.
  if (process.platform === 'linux') expect(isGone(`${processTag()}0`)).toBe(true);
  // Another machine's processes cannot be looked up.
  expect(isGone(goneTag.replace(/^......../, '00000000'))).toBe(false);
  for (const text of ['', 'text', '12-34']) expect([isGone(text), processNumber(text)]).toEqual([false, undefined]);
});

test('a lock is held once, named while it is held, and gone afterwards', async () => {
  const path = scratch('lock');
  {
    await using _lock = await takeLock(path, 'the thing');
    expect(await readFile(path, 'utf8')).toBe(processTag());
    await expectInputError(takeLock(path, 'the thing'), /^the thing: process \d+ is writing it; .* or delete .*lock/);
  }
  await expect(readFile(path)).rejects.toThrow('ENOENT');
  await expectInputError(takeLock(scratch('none/lock'), 'x'), /^x: cannot be written \(ENOENT\)/);
});

test("a dead process's lock is taken over, an unknown one's is not", async () => {
  // As left by a process that was killed, killed before it wrote its tag, and had this very process number before a reboot.
  for (const left of [goneTag, '', `${processTag()}0`]) {
    if (left !== '' && left !== goneTag && process.platform !== 'linux') continue;
    const path = scratch('dead');
    await writeFile(path, left);
    await using _lock = await takeLock(path, 'x');
    expect(await readFile(path, 'utf8')).toBe(processTag());
  }
  const path = scratch('foreign');
  for (const left of ['00000000-1-0', 'scribble']) {
    await writeFile(path, left);
    await expectInputError(takeLock(path, 'x'), /^x: (?:process 1|another process) is writing it/);
    expect(await readFile(path, 'utf8')).toBe(left);
  }
});

test('a process that was killed while it took over a dead lock leaves nothing for ever', async () => {
  const path = scratch('taken');
  await writeFile(leftBehind(path), goneTag);
  {
    await using _lock = await takeLock(path, 'x');
  }
  expect((await readdir(dirname(path))).filter((name) => name.includes('taken'))).toEqual([]);
});

test('a lock ends with its holder, though that be killed', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const path = scratch('childs');
  await writeFile(path, tagOf(child.pid!));
  await expectInputError(takeLock(path, 'x'), new RegExp(`^x: process ${child.pid} is writing it`));
  child.kill('SIGKILL');
  await once(child, 'close');
  await using _lock = await takeLock(path, 'x');
});

test('of many that want a dead lock at once, one gets it', async () => {
  const path = scratch('wanted');
  await writeFile(path, goneTag);
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(path, 'x')));
  const got = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  expect(got).toHaveLength(1);
  await got[0]!.value[Symbol.asyncDispose]();
  expect((await readdir(dirname(path))).filter((name) => name.includes('wanted'))).toEqual([]);
});

test('what killed processes were writing goes, what running ones write stays', async () => {
  const [mine, theirs, other] = [temporaryPath(scratch('t/f')), leftBehind(scratch('t/f')), leftBehind(scratch('t/g'))];
  await writeFileAtomically(scratch('t/notes.tmp'), 'not ours');
  for (const path of [mine, theirs, other]) {
    expect(isTemporary(path.split('/').at(-1)!)).toBe(true);
    await writeFile(path, 'half');
  }
  await writeFileAtomically(scratch('t/f'), 'whole');
  const names = await readdir(scratch('t'));
  expect(names.map((name) => scratch(`t/${name}`)).sort()).toEqual(
    [mine, other, scratch('t/f'), scratch('t/notes.tmp')].sort(),
  );
  await removeLeftBehind(scratch('t'));
  expect(await readdir(scratch('t'))).toHaveLength(3);
});

test('two makers of one directory: the second is told before it begins', async () => {
  const path = scratch('made');
  await createDirectoryAtomically(path, async (directory) => {
    await writeFileAtomically(`${directory}/file`, 'first');
    const second = createDirectoryAtomically(path, () => Promise.reject(new Error('begun')));
    await expectInputError(second, /made: process \d+ is writing it/);
  });
  expect(await readFile(`${path}/file`, 'utf8')).toBe('first');
  expect((await readdir(dirname(path))).filter((name) => name.startsWith('.made'))).toEqual([]);
});
