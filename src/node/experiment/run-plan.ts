/** Runs a process's share of the tasks of a plan, each with its kind of learner. */
import { join } from 'node:path';
import { TokenEmbeddings } from '../../clip/towers/index.js';
import {
  type FrozenEncoder,
  planTasks,
  shareOf,
  type Task,
  type TaskResult,
  type TaskShare,
  taskOptions,
} from '../../ptdpc/experiment/index.js';
import { classText, evaluate, probeCell, probeOptions, zeroShotLogits } from '../../ptdpc/index.js';
import { startZeroShot } from '../evaluate-run.js';
import { removeOwn } from '../own-files.js';
import { writeProbeRun } from '../probe.js';
import { writeResult } from '../results.js';
import { runImages, seenImages } from '../run-images.js';
import { commonRecord } from '../run-record.js';
import { type ExperimentContext, openContext, type WorkOptions } from './context.js';
import { ExperimentFeatures } from './features.js';
import type { PlanFolder } from './plan-folder.js';
import { type SettingData, settingData } from './setting-data.js';
import { readTaskResult } from './task-run.js';
import { tuneTask } from './tune-task.js';

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

/** Computes a task, which writes its run and the result of that, and returns what was found. */
export async function runTask(place: ExperimentContext, task: Task, features: ExperimentFeatures): Promise<TaskResult> {
  const started = performance.now();
  await place.folder.makeTaskFolder(task.name);
  const data = await settingData(task.setting, task.seed);
  const seconds = () => (performance.now() - started) / 1000;
  const { work } = task.variant;
  if (work.kind === 'prompts') {
    const { run, train, test, evaluation, epochs } = await tuneTask(place, task, work, data, features);
    const { root } = task.setting;
    const seen = seenImages(runImages('train', train, data.classes, root), test, 'test');
    await writeResult(run, {
      ...{ dataset: data.source, split: 'test', classes: data.classes, images: test, evaluation, seen },
      ...{ epochs, seconds: seconds(), device: place.engine.backend.description },
    });
  } else if (work.kind === 'probe') await probeTask(place, task, work.encoder, data, features, seconds);
  else await zeroShot(place, task, work.template, data, features, seconds);
  const result = await readTaskResult(place.folder.runs(task.name), task);
  if (!result) throw new Error(`${task.name}: the result that was just written is not there`);
  return result;
}

async function zeroShot(
  place: ExperimentContext,
  { name, setting }: Task,
  template: string,
  { source, classes, test }: SettingData,
  features: ExperimentFeatures,
  seconds: () => number,
): Promise<void> {
  const { tower, model, memory, strict, truncated, engine, folder } = place;
  const [images] = await features.normalized(setting.root, [test], classes);
  const texts = classes.map(({ word }) => classText(template, word));
  const embeddings = new TokenEmbeddings(model.clip);
  const logits = await zeroShotLogits(tower, embeddings, await model.tokenizer(), texts, images!.features, memory);
  const run = join(folder.runs(name), 'zero-shot');
  const dataset = { ...source, classes };
  const common = await commonRecord({ model, dataset, backend: engine.backend, memory, strict, truncated });
  await startZeroShot(run, { learner: 'zero-shot', ...common, templates: [template] });
  await writeResult(run, {
    ...{
      dataset,
      split: 'test',
      classes,
      images: images!,
      evaluation: evaluate(logits, images!.labels, classes.length, images!.votes),
    },
    ...{ epochs: 0, seconds: seconds(), device: engine.backend.description },
  });
}

/** Runs the task. The learning rate is chosen as for prompts (see `tuneTask`). `seconds` since the task began. */
export async function probeTask(
  place: ExperimentContext,
  task: Task,
  encoder: FrozenEncoder,
  { source, classes, train, val, test }: SettingData,
  features: ExperimentFeatures,
  seconds: () => number,
): Promise<void> {
  const { engine, memory, plan, events, strict, truncated, folder } = place;
  const { learningRates } = plan.configuration;
  const { root } = task.setting;
  const [trained, validated, tested] = await features.raw(encoder, root, [train, val ?? [], test], classes);
  const options = probeOptions(taskOptions(plan, task, { learningRate: learningRates[0]! }));
  // Where validation images are held out, the chosen rate is trained once more.
  const trainings = learningRates.length + Number(learningRates.length > 1 && !val);
  using bar = events.progress(trainings * options.epochs, task.name, 'epochs');
  const used = place.encoders.get(encoder)!;
  const splits = { train: trained!, validation: val ? validated : undefined, test: tested! };
  const result = await probeCell({
    ...{ engine, width: used.width, memory, classes: classes.length, options, ...splits },
    rates: learningRates.length === 1 ? undefined : learningRates,
    onEpoch: () => bar.tick(1),
  });
  const out = join(folder.runs(task.name), 'probe');
  // Without a result, what lies there is of other images.
  await removeOwn(out);
  const compared = plan.encoders.find(({ name }) => encoder === `encoder-${name}`);
  await writeProbeRun({
    ...{ out, dataset: { ...source, classes }, features: used.features, options, result, ...splits },
    ...{ backend: engine.backend, memory, strict, truncated, seconds: seconds() },
    encoder: { directory: compared?.path ?? plan.configuration.model.directory, hash: () => used.hash() },
    preprocess: compared ? plan.configuration.preprocess : 'own',
    seen: seenImages(runImages('train', trained!, classes, root), tested!, 'test'),
  });
}
