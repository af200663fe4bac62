/**
 * A learner on CLIP's features, from folder names to a run: what `ptdpc train --learner clap` does, for programs. It takes seconds once features are cached,
 * so its folder appears whole or not at all, and an interrupted fit starts again.
 */
import { join } from 'node:path';
import { TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import { counted } from '../errors.js';
import type { Backend } from '../kernels/index.js';
import {
  type FeatureJob,
  type FeatureLearner,
  type FittedFeatures,
  featureLogits,
} from '../learners/features/feature-learner.js';
import { featureLearnerNamed } from '../learners/features/index.js';
import { encodeTexts } from '../ptdpc/encode.js';
import {
  type ClassName,
  type Dataset,
  type Evaluation,
  evaluate,
  imagesOf,
  normalizedFeatures,
  zeroShotTexts,
} from '../ptdpc/index.js';
import { checkedOptions } from '../ptdpc/options.js';
import { Engine } from '../tensor/index.js';
import { createDirectoryAtomically, requireNothingAt, writeFileAtomically } from './atomic.js';
import { onDevice } from './device.js';
import type { EncodedSplit } from './encode-splits.js';
import { type Events, type ProgressBar, SILENT } from './events.js';
import { LEARNED_FILE, learnedBytes } from './learned-file.js';
import { requireWritable } from './make-folder.js';
import { type ModelDirectory, openModelDirectory } from './model-directory.js';
import { imageLines, imagesPath, runImages } from './run-images.js';
import { commonRecord, type FeaturesRecord, recordJson, trainedOn } from './run-record.js';
import { type EncodedData, encodeData, openTrainingData, type TuneRequest } from './tune-prompts.js';

/** A fit, given by folders and options. `out` is created. */
export interface FitRequest extends Omit<TuneRequest, 'options' | 'rates' | 'onEpoch'> {
  /** Its name. */
  readonly learner: string;
  /** Those of the learner's `fields`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** What was learned, and how it does on the images that it was learned from. */
export interface FittedRun extends Pick<FittedFeatures, 'constants' | 'choice' | 'epochs'> {
  readonly train: Pick<Evaluation, 'accuracy' | 'loss'>;
  readonly validation: Pick<Evaluation, 'accuracy' | 'loss'> | null;
}

/** Fits the learner and writes the run. Throws InputError for input that does not allow it. */
export async function fitFeatures(request: FitRequest): Promise<FittedRun> {
  const { memory, openDevice, events = SILENT } = request;
  const learner = featureLearnerNamed(request.learner);
  const options = checkedOptions(learner.fields, request.options);
  await requireNothingAt(request.out);
  await requireWritable(request.out);
  await using model = await openModelDirectory(request.model, request.cacheDirectory);
  const data = await openTrainingData(request);
  imagesOf(data, 'train');
  const words = data.classes.map(({ word }) => word);
  // A template that does not fit is known before images are encoded.
  const template = String(options.zeroShotTemplate);
  const texts = zeroShotTexts(await model.tokenizer(), words, [template], model.config.text.context);
  let encoded: EncodedData | undefined;
  return await onDevice(openDevice, events, async ({ backend }) => {
    const engine = new Engine(backend);
    encoded ??= await encodeData({ ...request, engine, model }, data, request.onSkipped);
    const job = await featureJob(engine, model, texts.flat(), encoded, memory);
    events.say(
      `fitting ${learner.title} to ${counted(encoded.train.labels.length, 'image')} of ${job.classes} classes`,
    );
    const fitted = await withBar(events, (onStep) => learner.fit({ ...job, onStep }, options));
    await writeFitted({
      ...request,
      ...encoded,
      learner,
      options,
      fitted,
      model,
      data,
      classes: data.classes,
      backend,
    });
    const { classes, width } = job;
    const scored = async ({ features, labels }: EncodedSplit) => {
      const sizes = { classes, joint: width, images: encoded!.train.labels.length };
      return evaluate(await featureLogits(engine, learner.model, fitted, features, sizes, memory), labels, classes);
    };
    const { constants, choice, epochs } = fitted;
    const { train, validation } = encoded;
    const on = { train: await scored(train), validation: validation ? await scored(validation) : null };
    return { constants, choice, epochs, ...on };
  });
}

/** A fitted learner, and what it was fitted to. */
export interface FittedLearner extends EncodedData, Pick<FitRequest, 'out' | 'memory' | 'strict' | 'truncated'> {
  readonly learner: FeatureLearner;
  readonly options: Readonly<Record<string, unknown>>;
  readonly fitted: FittedFeatures;
  readonly model: Pick<ModelDirectory, 'directory' | 'hash'>;
  /** For the record: where the images come from. */
  readonly data: Pick<Dataset, 'root' | 'setting' | 'origin'>;
  readonly classes: readonly ClassName[];
  readonly backend: Pick<Backend, 'kind' | 'description'>;
}

/** Writes the run of a fitted learner; its folder appears whole or not at all. `also` writes more into it before that. */
export async function writeFitted(
  run: FittedLearner,
  also: (directory: string) => Promise<unknown> = async () => {},
): Promise<void> {
  const { out, learner, options, fitted, model, data, classes, backend, train, validation } = run;
  const { memory, strict, truncated } = run;
  const { constants, choice } = fitted;
  const record: FeaturesRecord = {
    ...{ learner: 'features', name: learner.name },
    ...(await commonRecord({ model, dataset: { ...data, classes }, backend, memory, strict, truncated })),
    ...{ options, constants, choice },
    ...trainedOn(data.root, train, validation),
  };
  const images = [
    ...runImages('train', train, classes, data.root),
    ...(validation ? runImages('val', validation, classes, data.root) : []),
  ];
  await createDirectoryAtomically(out, async (directory) => {
    await writeFileAtomically(join(directory, 'run.json'), recordJson(record));
    await writeFileAtomically(imagesPath(directory), imageLines(images));
    await writeFileAtomically(join(directory, LEARNED_FILE), await learnedBytes(learner, fitted));
    await also(directory);
  });
}

/** Shows the steps of a training, if their number is known. */
async function withBar<T>(events: Events, train: (onStep: FeatureJob['onStep']) => Promise<T>): Promise<T> {
  let bar: ProgressBar | undefined;
  try {
    return await train(({ steps, epoch, loss }) => {
      if (steps === undefined) return;
      bar ??= events.progress(steps, 'fitting', 'steps');
      bar.tick(1, `epoch ${epoch + 1}, loss ${loss.toFixed(4)}`);
    });
  } finally {
    bar?.[Symbol.dispose]();
  }
}

/** What a learner is fitted to: features, and those of one text for each class, given by its tokens. `memory` in bytes. */
export async function featureJob(
  engine: Engine,
  model: ModelDirectory,
  sequences: readonly (readonly number[])[],
  { train, validation }: EncodedData,
  memory: number,
): Promise<FeatureJob> {
  using tower = await TextTower.load(engine, model.clip, model.config);
  return await featureJobOn(tower, model, sequences, { train, validation }, memory);
}

/** The same with a text tower that is loaded. */
export async function featureJobOn(
  tower: TextTower,
  model: ModelDirectory,
  sequences: readonly (readonly number[])[],
  { train, validation }: EncodedData,
  memory: number,
): Promise<FeatureJob> {
  const { projectionDim: width } = model.config;
  const rawTexts = new Float32Array(sequences.length * width);
  let at = 0;
  for await (const part of encodeTexts(tower, new TokenEmbeddings(model.clip), sequences, memory)) {
    rawTexts.set(part, at);
    at += part.length;
  }
  const texts = normalizedFeatures(rawTexts, width);
  const { logitScale: scale, engine } = tower;
  return { engine, classes: sequences.length, width, train, validation, texts, rawTexts, scale, memory };
}
