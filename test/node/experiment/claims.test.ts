/** Claims on tasks: one holder at a time, dead ones taken over, live ones left alone. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Claims } from '../../../src/node/experiment/claims.js';
import { expectInputError } from '../../clip/checkpoint/support.js';
import { tagOf } from '../gone-process.js';
import { scratchFolder } from '../scratch.js';

const QUICK = { beat: 20, dead: 300 };
const SLOW = { beat: 60_000, dead: 60_000 };

const scratch = scratchFolder();
let folders = 0;

async function newFolder(): Promise<string> {
  const folder = scratch(`claims${folders++}`);
  await mkdir(folder);
  return folder;
}

/** A claim of another machine, by an earlier version: nobody can say whether it lives, but its file says when it beats. */
async function foreignClaim(folder: string, beats = 0): Promise<void> {
  await writeFile(join(folder, 'task.json'), JSON.stringify({ id: 'other', machine: 'elsewhere', pid: 1, beats }));
}

describe('one holder', () => {
  test('a claimed task is refused until it is given back, and leaves nothing behind', async () => {
    const folder = await newFolder();
    const [a, b] = [new Claims(folder, QUICK), new Claims(folder, QUICK)];
    {
      await using claim = await a.tryClaim('task');
      expect(claim).toBeDefined();
      expect(await b.tryClaim('task')).toBeUndefined();
      await using other = await b.tryClaim('other');
      expect(other).toBeDefined();
      expect((await readdir(folder)).sort()).toEqual(['other.json', 'task.json']);
    }
    expect(await readdir(folder)).toEqual([]);
    await using again = await b.tryClaim('task');
    expect(again).toBeDefined();
  });

  test('of many that try at once, one gets it', async () => {
    const folder = await newFolder();
    const claims = await Promise.all(Array.from({ length: 20 }, () => new Claims(folder, QUICK).tryClaim('task')));
    const held = claims.filter((claim) => claim !== undefined);
    expect(held).toHaveLength(1);
    await held[0]![Symbol.asyncDispose]();
  });

  test('beats while the thread that holds it does not pause', async () => {
    const folder = await newFolder();
    await using _claim = await new Claims(folder, QUICK).tryClaim('task');
    const beats = async () => {
      const text = await readFile(join(folder, 'task.json'), 'utf8');
      return (JSON.parse(text) as { beats: number }).beats;
    };
    while ((await beats()) === 0) await sleep(QUICK.beat);
    const before = await beats();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20 * QUICK.beat);
    expect(await beats()).toBeGreaterThan(before);
  });
});

describe('the dead', () => {
  test('a process of this machine that was killed is recognised at once', async () => {
    const folder = await newFolder();
    await using _mine = await new Claims(folder, SLOW).tryClaim('task');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const path = join(folder, 'task.json');
    const holder = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    await writeFile(path, JSON.stringify({ ...holder, id: 'killed', tag: tagOf(child.pid!) }));
    const claims = new Claims(folder, SLOW);
    expect(await claims.tryClaim('task')).toBeUndefined();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await using taken = await claims.tryClaim('task');
    expect(taken).toBeDefined();
    expect(await readdir(folder)).toEqual(['task.json']);
  });

  test('a process number that is ours now was not the one that claimed', async () => {
    const folder = await newFolder();
    const claims = new Claims(folder, SLOW);
    await using _mine = await claims.tryClaim('task');
    const path = join(folder, 'task.json');
    const holder = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    await writeFile(path, JSON.stringify({ ...holder, id: 'before the restart' }));
    await using taken = await claims.tryClaim('task');
    expect(taken).toBeDefined();
  });

  test('a claim of another machine that stops beating is taken over', async () => {
    const folder = await newFolder();
    await foreignClaim(folder);
    const claims = new Claims(folder, QUICK);
    expect(await claims.tryClaim('task')).toBeUndefined();
    await using taken = await claims.claimUnlessAlive('task');
    expect(taken).toBeDefined();
    expect(await readdir(folder)).toEqual(['task.json']);
  });

  test('a process that was killed while it wrote its claim is dead too', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'task.json'), '');
    await using taken = await new Claims(folder, QUICK).claimUnlessAlive('task');
    expect(taken).toBeDefined();
  });
});

describe('the living', () => {
  test('a claim of another machine that beats is left to it', async () => {
    const folder = await newFolder();
    await foreignClaim(folder);
    const claiming = new Claims(folder, QUICK).claimUnlessAlive('task');
    let beats = 0;
    const heart = setInterval(() => {
      foreignClaim(folder, ++beats).catch(() => {});
    }, 15);
    expect(await claiming).toBeUndefined();
    clearInterval(heart);
  });

  test('whoever waits gets it when it is given back', async () => {
    const folder = await newFolder();
    const first = await new Claims(folder, QUICK).tryClaim('task');
    const order: string[] = [];
    const second = new Claims(folder, QUICK).claim('task').then((claim) => {
      order.push('second');
      return claim;
    });
    await sleep(5 * QUICK.beat);
    order.push('first ends');
    await first![Symbol.asyncDispose]();
    await using _claim = await second;
    expect(order).toEqual(['first ends', 'second']);
  });
});

test('what is no claim is refused, not waited for or read', async () => {
  const folder = await newFolder();
  const path = join(folder, 'task.json');
  const claims = new Claims(folder, QUICK);
  execFileSync('mkfifo', [path]);
  await expectInputError(claims.tryClaim('task'), /task\.json: expected a lock, found a pipe; delete it$/);
  await expectInputError(claims.claim('task'), /task\.json: expected a lock, found a pipe; delete it$/);
  await rm(path);
  await writeFile(path, Buffer.alloc(70_000));
  await expectInputError(claims.tryClaim('task'), /expected a lock of at most 65536 bytes, found 70000; delete it$/);
  await rm(path);
  await mkdir(path);
  await expectInputError(claims.tryClaim('task'), /expected a lock, found a folder; delete it$/);
});

test('a folder that cannot be made is named', async () => {
  const folder = await newFolder();
  await writeFile(join(folder, 'file'), '');
  const claims = new Claims(join(folder, 'file', 'claims'));
  await expect(claims.tryClaim('task')).rejects.toThrow(/file\/claims: cannot be created/);
});
