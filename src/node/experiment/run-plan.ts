/** Runs a process's share of a plan's tasks. */
import { planTasks, shareOf, type Task, type TaskResult, type TaskShare } from '../../ptdpc/experiment/index.js';
import { openContext, type WorkOptions } from './context.js';
import { ExperimentFeatures } from './features.js';
import type { PlanFolder } from './plan-folder.js';
import { runTask } from './run-task.js';

export interface PlanProgress {
  /** Tasks of this process's share, and how many of them were done before. */
  total: number;
  before: number;
}

export interface RunPlanOptions extends WorkOptions {
  /** Undefined: all tasks. */
  share?: TaskShare | undefined;
  /** True: tasks that other live processes work on are waited for, so that all are done in the end. */
  waits?: boolean | undefined;
  onStart?(progress: PlanProgress): void;
  onTask?(result: TaskResult): void;
}

/** What became of a share: tasks done now, done before, and left to other processes that are at work on them. */
export interface RunPlanResult {
  done: number;
  before: number;
  leftToOthers: string[];
}

/**
 * Runs the tasks of a share that have no result yet. A task that another live process works on is left to it, or waited for; one whose process is
 * dead is taken over.
 */
export async function runPlan(folder: PlanFolder, options: RunPlanOptions): Promise<RunPlanResult> {
  const plan = await folder.read();
  const tasks = shareOf(planTasks(plan), options.share);
  const open: Task[] = [];
  for (const task of tasks) if (!(await folder.isDone(task.name))) open.push(task);
  const before = tasks.length - open.length;
  options.onStart?.({ total: tasks.length, before });
  if (open.length === 0) return { done: 0, before, leftToOthers: [] };

  await using place = await openContext(folder, plan, options);
  const features = new ExperimentFeatures(place);
  let done = 0;
  /** Runs a claimed task, unless its last holder finished it meanwhile. */
  const run = async (task: Task) => {
    if (await folder.isDone(task.name)) return;
    options.onTask?.(await runTask(place, task, features));
    done++;
  };
  const held: Task[] = [];
  for (const task of open) {
    await using claim = await place.claims.tryClaim(task.name);
    if (claim) await run(task);
    else held.push(task);
  }
  const leftToOthers: string[] = [];
  for (const task of held) {
    const { claims } = place;
    await using claim = options.waits ? await claims.claim(task.name) : await claims.claimUnlessAlive(task.name);
    if (claim) await run(task);
    else leftToOthers.push(task.name);
  }
  return { done, before, leftToOthers };
}
