/** One task of a plan: from images to a run with its result. */
import { join } from 'node:path';
import { TokenEmbeddings } from '../../clip/towers/index.js';
import type { Task, TaskResult } from '../../ptdpc/experiment/index.js';
import { classText, evaluate, zeroShotLogits } from '../../ptdpc/index.js';
import { startZeroShot } from '../evaluate-run.js';
import { writeResult } from '../results.js';
import { runImages, seenImages } from '../run-images.js';
import { commonRecord } from '../run-record.js';
import type { ExperimentContext } from './context.js';
import type { ExperimentFeatures } from './features.js';
import { probeTask } from './probe-task.js';
import { type SettingData, settingData } from './setting-data.js';
import { readTaskResult } from './task-run.js';
import { tuneTask } from './tune-task.js';

/** Computes a task, which writes its run and the result of that, and returns what was found. */
export async function runTask(place: ExperimentContext, task: Task, features: ExperimentFeatures): Promise<TaskResult> {
  const started = performance.now();
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
      evaluation: evaluate(logits, images!.labels, classes.length),
    },
    ...{ epochs: 0, seconds: seconds(), device: engine.backend.description },
  });
}
