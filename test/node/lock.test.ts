/** Locks and temporary files of processes that run, that ended, and that cannot be known. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { createDirectoryAtomically, writeFileAtomically } from '../../src/node/atomic.js';
import { takeLock, tryLock, waitForLock } from '../../src/node/lock.js';
import {
  isGone,
  isTemporary,
  processNumber,
  processTag,
  removeLeftBehind,
  temporaryPath,
} from '../../src/node/process-tag.js';
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

test.skipIf(process.platform !== 'linux')('a process that has ended but was not waited for is gone', async () => {
  // The shell becomes `sleep`, which never asks for the exit code of the shell's child.
  const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (text) => resolve(Number(text))));
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'utf8')).toMatch(/\) Z /);
    expect(isGone(tagOf(pid))).toBe(true);
  } finally {
    parent.kill('SIGKILL');
  }
});

test('a lock is held once, named while it is held, and gone afterwards', async () => {
  const path = scratch('lock');
  {
    await using _lock = await takeLock(path, { what: 'the thing' });
    expect(await readFile(path, 'utf8')).toContain(processTag());
    await expectInputError(
      takeLock(path, { what: 'the thing' }),
      /^the thing: process \d+ is writing it; .* or delete .*lock/,
    );
  }
  await expect(readFile(path)).rejects.toThrow('ENOENT');
  await expectInputError(
    takeLock(scratch('none/lock'), { what: 'x' }),
    /^x: cannot be written \(no such file or folder\)/,
  );
});

test("a dead process's lock is taken over at once", async () => {
  const dead = JSON.stringify({ id: 'dead', tag: goneTag, host: 'here', beats: 3 });
  // The tag alone is what earlier versions wrote; the last had this very process number before a reboot, which only Linux tells.
  for (const left of [dead, goneTag, ...(process.platform === 'linux' ? [`${processTag()}0`] : [])]) {
    const path = scratch('dead');
    await writeFile(path, left);
    await using _lock = await takeLock(path, { what: 'x' });
    expect(await readFile(path, 'utf8')).toContain(processTag());
  }
});

const ELSEWHERE = '00000000-1-0';
const QUICK = { beat: 20, dead: 300 };
const foreign = (beats: number) => JSON.stringify({ id: 'other', tag: ELSEWHERE, host: 'node7', beats });

test("another machine's lock is taken over when it shows no sign of life, and so is one that was never written", async () => {
  const path = scratch('silent');
  for (const [left, who] of [
    [foreign(0), 'process 1 on node7'],
    ['', 'another process'],
    ['scribble', 'another process'],
  ] as const) {
    await writeFile(path, left);
    const said: string[] = [];
    await using lock = await takeLock(path, { what: 'x', timing: QUICK, say: (line) => said.push(line) });
    expect(said).toEqual([`x: ${who} has locked it; waiting 0.3 s at most for a sign of life`]);
    expect(await lock.isTakenOver()).toBe(false);
    // As the holder finds after its machine was suspended for so long.
    await writeFile(path, foreign(0));
    expect(await lock.isTakenOver()).toBe(true);
  }
  expect(await readFile(path, 'utf8')).toBe(foreign(0));
});

test("another machine's lock that moves is refused, and so is one of an earlier version, which never moved", async () => {
  const path = scratch('moving');
  let beats = 0;
  await writeFile(path, foreign(beats));
  const heart = setInterval(() => {
    writeFile(path, foreign(++beats), { flag: 'r+' }).catch(() => {});
  }, 15);
  await expectInputError(takeLock(path, { what: 'x', timing: QUICK }), /^x: process 1 on node7 is writing it; wait/);
  clearInterval(heart);
  await writeFile(path, ELSEWHERE);
  await expectInputError(takeLock(path, { what: 'x', timing: QUICK }), /^x: process 1 is writing it; .* or delete/);
  expect(await readFile(path, 'utf8')).toBe(ELSEWHERE);
});

test('what is no lock is refused at once, whoever asks', async () => {
  const make: [string, (path: string) => Promise<unknown> | Buffer][] = [
    ['a folder', (path) => mkdir(path)],
    ['a link', (path) => symlink(scratch('nowhere'), path)],
    ['a pipe', (path) => execFileSync('mkfifo', [path])],
  ];
  for (const [kind, put] of make) {
    const path = scratch(kind);
    await put(path);
    for (const lock of [takeLock, tryLock, waitForLock])
      await expectInputError(lock(path, { what: 'x' }), `${kind}: expected a lock, found ${kind}; delete it`);
  }
  // The system refuses to read it, to whomever.
  await expectInputError(
    takeLock('/proc/self/mem', { what: 'x' }),
    /^\/proc\/self\/mem: cannot be read \(input\/output error\)$/,
  );
  const path = scratch('large');
  await writeFile(path, Buffer.alloc(70_000));
  await expectInputError(takeLock(path, { what: 'x' }), /large: expected a lock of at most 65536 bytes, found 70000/);
});

test('a process that was killed while it took over a dead lock leaves nothing for ever', async () => {
  const path = scratch('taken');
  await writeFile(leftBehind(path), goneTag);
  {
    await using _lock = await takeLock(path, { what: 'x' });
  }
  expect((await readdir(dirname(path))).filter((name) => name.includes('taken'))).toEqual([]);
});

test('a lock ends with its holder, though that be killed', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  const path = scratch('childs');
  await writeFile(path, tagOf(child.pid!));
  await expectInputError(takeLock(path, { what: 'x' }), new RegExp(`^x: process ${child.pid} is writing it`));
  child.kill('SIGKILL');
  await once(child, 'close');
  await using _lock = await takeLock(path, { what: 'x' });
});

test('of many that want a dead lock at once, one gets it', async () => {
  const path = scratch('wanted');
  await writeFile(path, goneTag);
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(path, { what: 'x' })));
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
