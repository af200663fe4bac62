/** Tasks of the kinds that experiments and studies share: each writes its run and the result of that on the test images. */
import { join } from 'node:path';
import { TokenEmbeddings } from '../../clip/towers/index.js';
import type { FrozenEncoder } from '../../ptdpc/experiment/index.js';
import {
  classText,
  evaluate,
  type ProbeCell,
  type ProbeOptions,
  type ProbeResult,
  probeCell,
  zeroShotLogits,
} from '../../ptdpc/index.js';
import { startZeroShot } from '../evaluate-run.js';
import { removeOwn } from '../own-files.js';
import { writeProbeRun } from '../probe.js';
import { writeResult } from '../results.js';
import { runImages, seenImages } from '../run-images.js';
import { commonRecord } from '../run-record.js';
import type { WorkContext } from './context.js';
import type { ExperimentFeatures } from './features.js';
import type { SettingData } from './setting-data.js';
import { type Tuning, tuneTask, type WorkTask } from './tune-task.js';

/** Tunes prompts. `seconds` since the task began; `before` is called once the prompts are chosen, before the result is written. */
export async function promptsTask(
  place: WorkContext,
  task: WorkTask,
  tuning: Tuning,
  data: SettingData,
  features: ExperimentFeatures,
  seconds: () => number,
  before?: (tuned: Awaited<ReturnType<typeof tuneTask>>) => Promise<void>,
): Promise<void> {
  const tuned = await tuneTask(place, task, tuning, data, features);
  const { run, train, test, evaluation, epochs } = tuned;
  await before?.(tuned);
  const seen = seenImages(runImages('train', train, data.classes, task.root), test, 'test');
  await writeResult(run, {
    ...{ dataset: data.source, split: 'test', classes: data.classes, images: test, evaluation, seen },
    ...{ epochs, seconds: seconds(), device: place.engine.backend.description },
  });
}

/** Classifies by CLIP without training. */
export async function zeroShotTask(
  place: WorkContext,
  { name, root }: WorkTask,
  template: string,
  { source, classes, test }: SettingData,
  features: ExperimentFeatures,
  seconds: () => number,
): Promise<void> {
  const { tower, model, memory, strict, truncated, engine, folder } = place;
  const [images] = await features.normalized(root, [test], classes);
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

/** What a probe learns from, and how. */
export interface Probing {
  readonly encoder: FrozenEncoder;
  /** One, or several for validation to choose from. */
  readonly rates: readonly number[];
  readonly options: ProbeOptions;
  /** Called once the probe is chosen, before the run is written. */
  readonly before?: ((cell: ProbeCell, result: ProbeResult) => Promise<void>) | undefined;
  /** Called with the function that trains; calls it. Default: just that. */
  readonly measured?: (<T>(train: () => Promise<T>) => Promise<T>) | undefined;
}

/** Trains a linear probe. The learning rate is chosen as for prompts (see `tuneTask`). `seconds` since the task began. */
export async function probeTask(
  place: WorkContext,
  task: WorkTask,
  { encoder, rates: learningRates, options, before, measured = (train) => train() }: Probing,
  { source, classes, train, val, test }: SettingData,
  features: ExperimentFeatures,
  seconds: () => number,
): Promise<void> {
  const { engine, memory, events, strict, truncated, folder } = place;
  const { root } = task;
  const [trained, validated, tested] = await features.raw(encoder, root, [train, val ?? [], test], classes);
  // Where validation images are held out, the chosen rate is trained once more.
  const trainings = learningRates.length + Number(learningRates.length > 1 && !val);
  using bar = events.progress(trainings * options.epochs, task.name, 'epochs');
  const used = place.encoders.get(encoder)!;
  const splits = { train: trained!, validation: val ? validated : undefined, test: tested! };
  const cell: ProbeCell = {
    ...{ engine, width: used.width, memory, classes: classes.length, options, ...splits },
    rates: learningRates.length === 1 ? undefined : learningRates,
    onEpoch: () => bar.tick(1),
  };
  const result = await measured(() => probeCell(cell));
  await before?.(cell, result);
  const out = join(folder.runs(task.name), 'probe');
  // Without a result, what lies there is of other images.
  await removeOwn(out);
  const compared = place.besides.find(({ name }) => encoder === `encoder-${name}`);
  await writeProbeRun({
    ...{ out, dataset: { ...source, classes }, features: used.features, options, result, ...splits },
    ...{ backend: engine.backend, memory, strict, truncated, seconds: seconds() },
    encoder: { directory: compared?.path ?? place.model.directory, hash: () => used.hash() },
    preprocess: compared ? place.preprocess : 'own',
    seen: seenImages(runImages('train', trained!, classes, root), tested!, 'test'),
  });
}
