/** A process's share of tasks: what others are at work on is left to them or waited for, and what the dead have left is taken over. */
import { shareOf, type TaskShare } from '../../ptdpc/experiment/index.js';
import type { WorkContext } from './context.js';
import type { WorkFolder } from './work-folder.js';

export interface WorkProgress {
  /** Tasks of this process's share, and how many of them were done before. */
  total: number;
  before: number;
}

export interface ShareOptions {
  /** Undefined: all tasks. */
  share?: TaskShare | undefined;
  /** True: tasks that other live processes work on are waited for, so that all are done in the end. */
  waits?: boolean | undefined;
  onStart?(progress: WorkProgress): void;
}

/** What became of a share: tasks done now, done before, and left to other processes that are at work on them. */
export interface ShareResult {
  done: number;
  before: number;
  leftToOthers: string[];
}

/**
 * Runs the tasks of a share that have no result yet. A task that another live process works on is left to it, or waited for; one whose process is
 * dead is taken over. `open` is called if there is something to do, and what it gives is closed at the end.
 */
export async function runShare<
  T extends { readonly name: string },
  C extends Pick<WorkContext, 'claims'> & AsyncDisposable,
>(
  folder: WorkFolder,
  all: readonly T[],
  { share, waits, onStart }: ShareOptions,
  open: () => Promise<C>,
  run: (place: C, task: T) => Promise<void>,
): Promise<ShareResult> {
  const tasks = shareOf(all, share);
  const left: T[] = [];
  for (const task of tasks) if (!(await folder.isDone(task.name))) left.push(task);
  const before = tasks.length - left.length;
  onStart?.({ total: tasks.length, before });
  if (left.length === 0) return { done: 0, before, leftToOthers: [] };

  await using place = await open();
  const { claims } = place;
  let done = 0;
  /** Runs a claimed task, unless its last holder finished it meanwhile. */
  const runClaimed = async (task: T) => {
    if (await folder.isDone(task.name)) return;
    await run(place, task);
    done++;
  };
  const held: T[] = [];
  for (const task of left) {
    await using claim = await claims.tryClaim(task.name);
    if (claim) await runClaimed(task);
    else held.push(task);
  }
  const leftToOthers: string[] = [];
  for (const task of held) {
    await using claim = waits ? await claims.claim(task.name) : await claims.claimUnlessAlive(task.name);
    if (claim) await runClaimed(task);
    else leftToOthers.push(task.name);
  }
  return { done, before, leftToOthers };
}
