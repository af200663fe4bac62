/** Runs a process's share of the tasks of a plan, each with its kind of learner. */
import { type Plan, planTasks, type Task, type TaskResult, taskOptions } from '../../ptdpc/experiment/index.js';
import { probeOptions } from '../../ptdpc/index.js';
import { openContext, type WorkContext, type WorkModels, type WorkOptions } from './context.js';
import { ExperimentFeatures } from './features.js';
import { probeTask, promptsTask, zeroShotTask } from './learner-tasks.js';
import type { PlanFolder } from './plan-folder.js';
import { runShare, type ShareOptions, type ShareResult } from './run-share.js';
import { settingData } from './setting-data.js';
import { readTaskResult } from './task-run.js';

export interface RunPlanOptions extends WorkOptions, ShareOptions {
  onTask?(result: TaskResult): void;
}

/** Runs the tasks of a share that have no result yet, see `runShare`. */
export async function runPlan(folder: PlanFolder, options: RunPlanOptions): Promise<ShareResult> {
  const plan = await folder.read();
  const open = async () => {
    const place = await openContext(folder, modelsOf(plan), options);
    return { ...place, features: new ExperimentFeatures(place) };
  };
  return await runShare(folder, planTasks(plan), options, open, async (place, task) => {
    options.onTask?.(await runTask(place, plan, task, place.features));
  });
}

function modelsOf(plan: Plan): WorkModels {
  const { encoders, configuration } = plan;
  const wantsPooled = planTasks(plan).some(
    ({ variant: { work } }) => work.kind === 'probe' && work.encoder === 'clip-pooled',
  );
  return { ...configuration, encoders, wantsPooled };
}

/** Computes a task, which writes its run and the result of that, and returns what was found. */
async function runTask(place: WorkContext, plan: Plan, task: Task, features: ExperimentFeatures): Promise<TaskResult> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const { name, seed, setting, variant } = task;
  await place.folder.makeTaskFolder(name);
  const data = await settingData(setting, seed);
  const { learningRates: rates } = plan.configuration;
  const { work } = variant;
  const own = { name, seed, root: setting.root };
  if (work.kind === 'prompts') {
    const { mode, template } = work;
    const options = (learningRate: number) => taskOptions(plan, task, { mode, template, learningRate });
    await promptsTask(place, own, { rates, options }, data, features, seconds);
  } else if (work.kind === 'probe') {
    const options = probeOptions(taskOptions(plan, task, { learningRate: rates[0]! }));
    await probeTask(place, own, { encoder: work.encoder, rates, options }, data, features, seconds);
  } else await zeroShotTask(place, own, work.template, data, features, seconds);
  const result = await readTaskResult(place.folder.runs(name), task);
  if (!result) throw new Error(`${name}: the result that was just written is not there`);
  return result;
}
