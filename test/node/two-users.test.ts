/**
 * Two users of one machine, and a folder that both may write to: what one plants there must not make the other's commands write to, delete
 * or show files elsewhere. Needs root, which becomes the one and the other.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, link, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { createDirectoryAtomically, growDirectory, writeFileAtomically } from '../../src/node/atomic.js';
import { PlanFolder } from '../../src/node/experiment/plan-folder.js';
import { FeatureCache, type FeatureOrigin } from '../../src/node/feature-cache.js';
import { sha256 } from '../../src/node/feature-segment.js';
import { type Lock, takeLock, tryLock, waitForLock } from '../../src/node/lock.js';
import { removeLeftBehind } from '../../src/node/process-tag.js';
import { RunDirectory } from '../../src/node/run-directory.js';
import { epochOf, learnedAfter, RUN_IMAGES, RUN_SIZE, runRecord, stateAfter, stepOf } from '../support/run-record.js';
import { goneTag, leftBehind } from './gone-process.js';
import { scratchFolder } from './scratch.js';

const ALICE = 61_001;
const MALLORY = 61_002;

const scratch = scratchFolder();

/** Runs `body` as another user. Calls may be nested: an attack in the midst of a victim's work. */
async function as<T>(uid: number, body: () => Promise<T>): Promise<T> {
  const become = (id: number) => {
    process.seteuid!(0);
    process.setegid!(id);
    process.seteuid!(id);
  };
  const before = process.geteuid!();
  become(uid);
  try {
    return await body();
  } finally {
    become(before);
  }
}

const alice = <T>(body: () => Promise<T>) => as(ALICE, body);
const mallory = <T>(body: () => Promise<T>) => as(MALLORY, body);

/** What `body` is refused with, in one line. */
async function refusalOf(body: () => Promise<unknown>): Promise<string> {
  const error: unknown = await body().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error, 'not refused').toBeInstanceOf(Error);
  const { message } = error as Error;
  expect(message).not.toContain('\n');
  return message;
}

describe.skipIf(process.geteuid?.() !== 0)('another user of the machine', () => {
  /** A folder for both, in which everyone may rename everything; in `sticky`, only what is their own. */
  let shared: string;
  let sticky: string;
  /** Alice's, with a file for her eyes only. */
  let home: string;
  let precious: string;
  let made = 0;
  beforeEach(async () => {
    const root = scratch(`case-${made++}`);
    await mkdir(root, { recursive: true });
    for (const folder of [scratch(''), root]) await chmod(folder, 0o755);
    [shared, sticky, home] = [join(root, 'shared'), join(root, 'sticky'), join(root, 'home')];
    for (const [folder, mode] of [[shared, 0o777] as const, [sticky, 0o1777] as const, [home, 0o777] as const]) {
      await mkdir(folder);
      await chmod(folder, mode);
    }
    precious = join(home, 'precious');
    await alice(async () => {
      await writeFile(precious, 'precious', { mode: 0o600 });
      await mkdir(join(home, 'private'), { mode: 0o700 });
      await writeFile(join(home, 'private/letter'), 'letter');
    });
    await chmod(home, 0o755);
  });
  const expectUntouched = async () => {
    expect(await readFile(precious, 'utf8')).toBe('precious');
    expect(await readdir(join(home, 'private'))).toEqual(['letter']);
  };

  it('has made the folder of a download beforehand: refused', async () => {
    for (const folder of [shared, sticky]) {
      const out = join(folder, 'model');
      await mallory(async () => {
        await mkdir(join(folder, '.model.partial'));
        await chmod(join(folder, '.model.partial'), 0o777);
        await symlink(precious, join(folder, '.model.partial/config.json.part'));
      });
      const grow = () => growDirectory(out, (directory) => writeFile(join(directory, 'config.json.part'), 'x'));
      expect(await refusalOf(() => alice(grow))).toMatch(/\.model\.partial: belongs to another user/);
      await expectUntouched();
    }
  });

  it('exchanges that folder for a link after it was checked: nothing is written there, and the result is refused', async () => {
    const out = join(shared, 'model');
    const partial = join(shared, '.model.partial');
    const attack = () =>
      mallory(async () => {
        await rename(partial, join(shared, 'aside'));
        await symlink(join(home, 'private'), partial);
      });
    const grow = () =>
      growDirectory(out, async (directory) => {
        await attack();
        await writeFile(join(directory, 'weights'), 'x');
      });
    expect(await refusalOf(() => alice(grow))).toMatch(/model: it is not what was written/);
    await expectUntouched();
  });

  it('cannot write into it, though the umask would let the group', async () => {
    const before = process.umask(0);
    try {
      await alice(() =>
        growDirectory(join(shared, 'grown'), async (directory) => {
          const { mode } = await stat(directory);
          expect(mode & 0o777).toBe(0o700);
          const write = () => writeFile(join(shared, '.grown.partial/x'), '');
          expect(await refusalOf(() => mallory(write))).toMatch(/EACCES/);
        }),
      );
      await alice(() => createDirectoryAtomically(join(shared, 'made'), (folder) => writeFile(join(folder, 'x'), '')));
      // Finished, they are as any other folder.
      for (const name of ['grown', 'made']) expect((await stat(join(shared, name))).mode & 0o777).toBe(0o777);
    } finally {
      process.umask(before);
    }
  });

  it('plants a link in place of a file that is being replaced: the link goes', async () => {
    await mallory(() => symlink(precious, join(shared, 'results.json')));
    await alice(() => writeFileAtomically(join(shared, 'results.json'), 'mine'));
    expect(await readFile(join(shared, 'results.json'), 'utf8')).toBe('mine');
    await expectUntouched();
  });

  it('plants a link in place of the metrics of a run that is under way: refused', async () => {
    const path = join(home, 'private/run');
    const run = await alice(async () => {
      await mkdir(path);
      const run = await RunDirectory.open(path, runRecord(), RUN_IMAGES, RUN_SIZE);
      await run.begin();
      run.step(stepOf(0));
      await run.epoch(epochOf(0), stateAfter(1), learnedAfter(1));
      return run;
    });
    const metrics = join(path, 'metrics.jsonl');
    const second = () => run.epoch(epochOf(1), stateAfter(2), learnedAfter(2));
    await rename(metrics, join(path, 'aside'));
    await symlink(precious, metrics);
    expect(await refusalOf(() => alice(second))).toMatch(/metrics\.jsonl: expected a file, found a link/);
    await rename(metrics, join(path, 'link'));
    // The same by a second name of the file, where the system allows that.
    await alice(() => link(precious, metrics));
    expect(await refusalOf(() => alice(second))).toMatch(/metrics\.jsonl: has 2 names \(hard links\)/);
    await rename(metrics, join(path, 'second'));
    await mallory(() => writeFile(join(shared, 'theirs'), ''));
    await rename(join(shared, 'theirs'), metrics);
    await chmod(metrics, 0o666);
    expect(await refusalOf(() => alice(second))).toMatch(/metrics\.jsonl: belongs to another user/);
    expect(await readFile(precious, 'utf8')).toBe('precious');
  });

  it('may write to the folder of a run: it is not trained in', async () => {
    await mallory(async () => {
      await mkdir(join(shared, 'theirs'));
      await chmod(join(shared, 'theirs'), 0o777);
    });
    expect(await refusalOf(() => alice(() => RunDirectory.claim(join(shared, 'theirs'))))).toMatch(
      /theirs: belongs to another user/,
    );
    await alice(async () => {
      await mkdir(join(shared, 'open'));
      await chmod(join(shared, 'open'), 0o777);
    });
    expect(await refusalOf(() => alice(() => RunDirectory.claim(join(shared, 'open'))))).toMatch(
      /open: every user may write to it; run chmod o-w/,
    );
  });

  it('exchanges a lock for a link while it is held: its sign of life goes to the lock', async () => {
    const path = join(shared, '.lock');
    const lock: Lock = await alice(() => takeLock(path, { what: 'x', timing: { beat: 20, dead: 1000 } }));
    await mallory(async () => {
      await rename(path, join(shared, 'aside'));
      await symlink(precious, path);
    });
    await sleep(150);
    await alice(async () => {
      await lock[Symbol.asyncDispose]();
    });
    await expectUntouched();
  });

  it('leaves something else in place of a lock: one line, whoever asks, and at once', async () => {
    const make: Record<string, (path: string) => Promise<void>> = {
      'a dangling link': (path) => symlink('/nowhere', path),
      'a link to a file': (path) => symlink(precious, path),
      'a link to a device': (path) => symlink('/dev/zero', path),
      'a folder': async (path) => {
        await mkdir(path);
      },
      'a pipe': async (path) => {
        execFileSync('mkfifo', [path]);
      },
      'a lock that only they can read': (path) => writeFile(path, '{}', { mode: 0o600 }),
      'a lock of a process that has ended': (path) => writeFile(path, goneTag),
    };
    let kind = 0;
    for (const [name, plant] of Object.entries(make)) {
      const path = join(sticky, `.lock-${kind++}`);
      // execFile does not inherit the effective user; who made the pipe does not matter.
      await (name === 'a pipe' ? plant(path) : mallory(() => plant(path)));
      const options = { what: 'x', timing: { beat: 20, dead: 200 } };
      for (const take of [takeLock, tryLock, waitForLock])
        expect(await refusalOf(() => alice(() => take(path, options))), name).toMatch(
          /expected a lock, found|cannot be read|cannot be removed/,
        );
    }
    await expectUntouched();
  });

  it('leaves what looks like the remains of a killed process: only our own are removed, and never through a link', async () => {
    const theirs = leftBehind(join(shared, 'theirs'));
    const ours = leftBehind(join(shared, 'ours'));
    const planted = leftBehind(join(shared, 'planted'));
    await mallory(async () => {
      await mkdir(theirs);
      await symlink(join(home, 'private'), join(theirs, 'letters'));
      await symlink(join(home, 'private'), planted);
    });
    await alice(async () => {
      await mkdir(join(ours, 'deep/er'), { recursive: true });
      await symlink(join(home, 'private'), join(ours, 'deep/er/link'));
    });
    await alice(() => removeLeftBehind(shared));
    expect([existsSync(theirs), existsSync(ours)]).toEqual([true, false]);
    await expectUntouched();
  });

  it('fills a cache: it is not read; ours is ours alone', async () => {
    const origin: FeatureOrigin = { weights: 'w', config: {}, width: 2, arithmetic: 'a' };
    const image = sha256('image');
    const fill = async (cache: string, value: number) => {
      const features = await FeatureCache.open(cache, origin);
      await features.add(image, Float32Array.of(value, value));
      await features.flush();
    };
    const warnings: string[] = [];
    const read = async (cache: string) => {
      const features = await FeatureCache.open(cache, origin, (line) => warnings.push(line));
      return [...((await features.get(image)) ?? [])];
    };
    const theirs = join(shared, 'theirs');
    await mallory(() => fill(theirs, 666));
    await mallory(() => chmod(theirs, 0o755));
    expect(await alice(() => read(theirs))).toEqual([]);
    const ours = join(shared, 'ours');
    await alice(() => fill(ours, 1));
    expect((await stat(ours)).mode & 0o777).toBe(0o700);
    expect(await alice(() => read(ours))).toEqual([1, 1]);
    await alice(() => chmod(ours, 0o770));
    expect(await alice(() => read(ours))).toEqual([]);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(/^features are not kept: .*theirs: belongs to another user/);
    expect(warnings[1]).toMatch(/ours: other users may write to it; run chmod go-w on it/);
  });

  it('makes folders of a plan links: nothing is written or removed behind them', async () => {
    const linked = async (name: string) => {
      const plan = new PlanFolder(join(home, 'private', `plan-${made}-${name.replaceAll('/', '-')}`));
      await mkdir(join(plan.path, name, '..'), { recursive: true });
      await symlink(home, join(plan.path, name));
      return plan;
    };
    await alice(async () => {
      for (const name of ['runs', 'runs/task', 'runs/task/probe']) {
        const plan = await linked(name);
        expect(await refusalOf(() => plan.makeTaskFolder('task'))).toMatch(
          /(?:runs|task|probe): expected a folder, found a link; delete it/,
        );
      }
    });
    const open = new PlanFolder(join(shared, 'plan'));
    await alice(async () => {
      await mkdir(open.path);
      await chmod(open.path, 0o777);
    });
    expect(await refusalOf(() => alice(() => open.makeTaskFolder('task')))).toMatch(/plan: every user may write to it/);
    expect(await readFile(precious, 'utf8')).toBe('precious');
  });
});
