/** Runs a process's share of the tasks of a study. */
import type { Backend } from '../../kernels/index.js';
import { rowWork, type StudyTask, type StudyTaskResult, studyTasks } from '../../ptdpc/study/index.js';
import { Engine } from '../../tensor/index.js';
import { openContext, type WorkOptions } from '../experiment/context.js';
import { ExperimentFeatures } from '../experiment/features.js';
import { runShare, type ShareOptions, type ShareResult } from '../experiment/run-share.js';
import { MeteredBackend } from './metered-backend.js';
import type { StudyFolder } from './study-folder.js';
import { runStudyTask } from './study-task.js';
import { readStudyTask } from './task-files.js';

export interface RunStudyOptions extends Omit<WorkOptions, 'engine'>, ShareOptions {
  backend: Backend;
  /** Called after each task with its result and how many seconds it took. */
  onTask?(task: StudyTask, result: StudyTaskResult, seconds: number): void;
}

/** Runs the tasks of a share that have no result yet, see `runShare`. */
export async function runStudy(folder: StudyFolder, options: RunStudyOptions): Promise<ShareResult> {
  const plan = await folder.read();
  const { model, strict, truncated, testSelection } = plan.configuration;
  const wantsPooled = plan.rows.some((row) => {
    const work = rowWork(row, null, 0);
    return work.kind === 'probe' && work.features === 'pooled';
  });
  const models = { model, encoders: [], preprocess: 'own', strict, truncated, wantsPooled } as const;
  const open = async () => {
    const meter = new MeteredBackend(options.backend);
    const place = await openContext(folder, models, { ...options, engine: new Engine(meter) });
    return { ...place, meter, testSelection, features: new ExperimentFeatures(place) };
  };
  return await runShare(folder, studyTasks(plan), options, open, async (place, task) => {
    const started = performance.now();
    await runStudyTask(place, task);
    const found = await readStudyTask(folder.runs(task.name), task.name, task.seed);
    if (!found) throw new Error(`${task.name}: the result that was just written is not there`);
    options.onTask?.(task, found, (performance.now() - started) / 1000);
  });
}
