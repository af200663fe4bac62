import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { InputError } from '../../src/errors.js';
import {
  createDirectoryAtomically,
  createFileAtomically,
  createFileNamedLast,
  directorySink,
  growDirectory,
  withSpool,
  writeFileAtomically,
} from '../../src/node/atomic.js';
import { onSignals } from '../../src/node/signals.js';
import { expectInputError } from '../clip/checkpoint/support.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
let beforeLock: (() => Promise<void>) | undefined;

vi.mock('../../src/node/lock.js', async (original) => {
  const lock = await original<typeof import('../../src/node/lock.js')>();
  const takeLock: typeof lock.takeLock = async (...args) => {
    await beforeLock?.();
    return lock.takeLock(...args);
  };
  return { ...lock, takeLock };
});

test('a file appears complete, with its parents, or not at all', async () => {
  const path = scratch('a/b/file');
  await createFileAtomically(path, async (sink) => {
    await sink(new Uint8Array([1, 2]));
    await expect(stat(path)).rejects.toThrow('ENOENT');
    await sink(new Uint8Array([3]));
  });
  expect([...(await readFile(path))]).toEqual([1, 2, 3]);
  expect(await readdir(scratch('a/b'))).toEqual(['file']);

  const failing = createFileAtomically(path, async (sink) => {
    await sink(new Uint8Array(10));
    throw new InputError('no more');
  });
  await expectInputError(failing, 'no more');
  expect([...(await readFile(path))]).toEqual([1, 2, 3]);
  await writeFileAtomically(path, 'über');
  expect(await readFile(path, 'utf8')).toBe('über');
  expect(await readdir(scratch('a/b'))).toEqual(['file']);
  await expectInputError(writeFileAtomically(scratch('a'), ''), /a: expected the name of a file to write/);
});

test('a directory appears complete or not at all, and replaces no other', async () => {
  const path = scratch('model/v1');
  const fill = (text: string) => async (directory: string) => {
    await mkdir(join(directory, 'sub'));
    await writeFile(join(directory, 'sub/file'), text);
  };
  const failing = createDirectoryAtomically(path, async (directory) => {
    await fill('x')(directory);
    throw new Error('defect');
  });
  await expect(failing).rejects.toThrow('defect');
  // The parent that was created for it is removed, too.
  await expect(stat(scratch('model'))).rejects.toThrow('ENOENT');

  await mkdir(path, { recursive: true });
  await createDirectoryAtomically(path, fill('first'));
  expect(await readFile(join(path, 'sub/file'), 'utf8')).toBe('first');
  expect(await readdir(scratch('model'))).toEqual(['v1']);
  expect((await stat(path)).mode & 0o777).toBe(0o777 & ~process.umask());

  let called = false;
  const second = createDirectoryAtomically(path, async () => {
    called = true;
  });
  await expectInputError(second, /v1: the folder is not empty/);
  expect(called).toBe(false);
  await writeFile(scratch('plain'), '');
  await expectInputError(createDirectoryAtomically(scratch('plain'), fill('')), /plain: expected a folder or nothing/);
  await expectInputError(createDirectoryAtomically(scratch('plain/below'), fill('')), /below: cannot be written/);
});

test('a directory sink writes files one after the other', async () => {
  await mkdir(scratch('sink'));
  const sink = directorySink(scratch('sink'));
  for (const [name, byte] of [
    ['a', 1],
    ['a', 2],
    ['b', 3],
  ] as const)
    await sink.write(name, Uint8Array.of(byte));
  await sink.close();
  const read = async (name: string) => [...(await readFile(scratch(`sink/${name}`)))];
  expect([await read('a'), await read('b')]).toEqual([[1, 2], [3]]);
});

test('a growing directory keeps what a failed call left, and is refused if another process completes it first', async () => {
  const path = scratch('growing/model');
  const failing = growDirectory(path, async (directory) => {
    await writeFile(join(directory, 'a'), '1');
    throw new Error('broken off');
  });
  await expect(failing).rejects.toThrow('broken off');
  expect(await readdir(scratch('growing'))).toEqual(['.model.partial']);
  await growDirectory(path, async (directory) => writeFile(join(directory, 'b'), await readFile(join(directory, 'a'))));
  expect(await readdir(path)).toEqual(['a', 'b']);

  const other = scratch('growing/other');
  beforeLock = async () => {
    await mkdir(other);
    await writeFile(join(other, 'c'), 'complete');
  };
  const grow = vi.fn();
  await expectInputError(growDirectory(other, grow), /other: the folder is not empty/);
  beforeLock = undefined;
  expect(grow).not.toHaveBeenCalled();
  expect((await readdir(scratch('growing'))).sort()).toEqual(['model', 'other']);
});

test('while a result is computed as it is written, signals are left to the system; while a file is only written, they remove it', async () => {
  const handlers = () => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM');
  const before = handlers();
  await withSpool(scratch('spooled'), async () => expect(handlers()).toBe(before));
  await createFileNamedLast(scratch('named'), async () => expect(handlers()).toBe(before));
  await createFileAtomically(scratch('written'), async () => expect(handlers()).toBe(before + 2));
  expect(handlers()).toBe(before);
});

test('errors name the folder by its name, not by the descriptor that it is written through', async () => {
  const fail = async (directory: string) => {
    throw new InputError(`${directory}/config.json: damaged`);
  };
  const partial = scratch('.grown.partial');
  await expectInputError(growDirectory(scratch('grown'), fail), new RegExp(`^${partial}/config\\.json: damaged$`));
  await expectInputError(createDirectoryAtomically(scratch('made'), fail), new RegExp(`^${scratch('made')}/config`));
});

test.each([
  ['a file', () => stat('.')],
  ['a timer', () => setTimeout(1)],
  ['the next turn', () => setImmediate()],
])('a signal that comes at the very end of a handler reaches it, once: after %s', async (_, what) => {
  const came = vi.fn();
  {
    await using _ = onSignals(['SIGUSR2'], came);
    // Where in a turn of the event loop the signal comes decides when Node looks for it next.
    await what();
    process.kill(process.pid, 'SIGUSR2');
  }
  expect(came.mock.calls).toEqual([['SIGUSR2']]);
  expect(process.listenerCount('SIGUSR2')).toBe(0);
});
