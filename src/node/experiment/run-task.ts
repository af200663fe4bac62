/** One task of a plan: from images to its result. */
import { TokenEmbeddings } from '../../clip/towers/index.js';
import { SPLITS } from '../../ptdpc/datasets/index.js';
import { seedResult, surestCases, TASK_FORMAT, type Task, type TaskResult } from '../../ptdpc/experiment/index.js';
import { classText, evaluate, predictionLines, zeroShotLogits } from '../../ptdpc/index.js';
import { packageVersion } from '../package.js';
import { pathInData, runImages, seenImages, skippedInData } from '../run-images.js';
import type { ExperimentFeatures } from './features.js';
import { probeTask } from './probe-task.js';
import { type SettingData, settingData } from './setting-data.js';
import { type TaskOutcome, tuneTask } from './tune-task.js';
import type { Workplace } from './workplace.js';

/** Computes a task and writes its result into the plan's folder. */
export async function runTask(place: Workplace, task: Task, features: ExperimentFeatures): Promise<TaskResult> {
  const started = performance.now();
  const { setting, variant, seed } = task;
  const data = await settingData(setting, seed);
  const { learningRate, choice, evaluation, splits } = await outcome(place, task, data, features);
  const { train, val, test } = splits;
  const classes = data.classes.map(({ word }) => word);
  const paths = test.paths.map((path) => pathInData(setting.root, path));
  const training = {
    seed,
    task: task.name,
    learningRate,
    choice,
    images: {
      origin: data.source.origin,
      train: train?.labels.length ?? null,
      val: val?.labels.length ?? null,
      skipped: {
        train: train?.skipped.length ?? 0,
        val: val?.skipped.length ?? 0,
        test: test.skipped.length,
      },
      truncated: {
        train: train?.truncated.length ?? 0,
        val: val?.truncated.length ?? 0,
        test: test.truncated.length,
      },
      seen: train ? seenImages(runImages('train', train, data.classes, setting.root), test, 'test').train : 0,
    },
    device: place.engine.backend.description,
    seconds: (performance.now() - started) / 1000,
  };
  const result: TaskResult = {
    format: TASK_FORMAT,
    program: packageVersion(),
    task: task.name,
    setting: setting.name,
    variant: variant.name,
    classes,
    result: seedResult(training, evaluation, test.labels),
    cases: surestCases({ setting: setting.name, seed }, classes, evaluation, {
      paths,
      labels: test.labels,
    }),
    skipped: SPLITS.flatMap((split) =>
      (splits[split]?.skipped ?? []).map((image) => ({ split, ...skippedInData(setting.root, image) })),
    ),
    truncated: SPLITS.flatMap((split) =>
      (splits[split]?.truncated ?? []).map((path) => ({ split, path: pathInData(setting.root, path) })),
    ),
  };
  await place.folder.finish(result, predictionLines(classes, { paths, labels: test.labels }, evaluation));
  return result;
}

function outcome(place: Workplace, task: Task, data: SettingData, features: ExperimentFeatures): Promise<TaskOutcome> {
  const { work } = task.variant;
  switch (work.kind) {
    case 'prompts':
      return tuneTask(place, task, work, data, features);
    case 'zero-shot':
      return zeroShot(place, task, work.template, data, features);
    case 'probe':
      return probeTask(place, task, work.encoder, data, features);
  }
}

async function zeroShot(
  { tower, model, memory }: Workplace,
  { setting }: Task,
  template: string,
  { classes, test }: SettingData,
  features: ExperimentFeatures,
): Promise<TaskOutcome> {
  const [tested] = await features.normalized(setting.root, [test], classes);
  const texts = classes.map(({ word }) => classText(template, word));
  const logits = await zeroShotLogits(
    tower,
    new TokenEmbeddings(model.clip),
    await model.tokenizer(),
    texts,
    tested!.features,
    memory,
  );
  return {
    learningRate: null,
    choice: [],
    evaluation: evaluate(logits, tested!.labels, classes.length),
    splits: { test: tested! },
  };
}
