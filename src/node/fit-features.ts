/**
 * A learner on CLIP's features, from folder names to a run: what `ptdpc train --learner clap` does, for programs. It takes seconds once features are cached,
 * so its folder appears whole or not at all, and an interrupted fit starts again.
 */
import { join } from 'node:path';
import { TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import { counted } from '../errors.js';
import { type FeatureJob, type FittedFeatures, featureLogits } from '../learners/features/feature-learner.js';
import { featureLearnerNamed } from '../learners/features/index.js';
import { encodeTexts } from '../ptdpc/encode.js';
import { type Evaluation, evaluate, imagesOf, normalizedFeatures, zeroShotTexts } from '../ptdpc/index.js';
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
    const { train, validation } = encoded;
    const job = await jobOf(request, engine, model, texts.flat(), encoded);
    const { classes, width } = job;
    events.say(`fitting ${learner.title} to ${counted(train.labels.length, 'image')} of ${classes} classes`);
    const fitted = await withBar(events, (onStep) => learner.fit({ ...job, onStep }, options));
    const scored = async ({ features, labels }: EncodedSplit) => {
      const sizes = { classes, joint: width, images: train.labels.length };
      return evaluate(await featureLogits(engine, learner.model, fitted, features, sizes, memory), labels, classes);
    };
    const { constants, choice } = fitted;
    const dataset = { ...data, classes: data.classes };
    const common = { model, dataset, backend, memory, strict: request.strict, truncated: request.truncated };
    const record: FeaturesRecord = {
      ...{ learner: 'features', name: learner.name },
      ...(await commonRecord(common)),
      ...{ options, constants, choice },
      ...trainedOn(data.root, train, validation),
    };
    const images = (['train', 'validation'] as const).flatMap((part) => {
      const split = encoded?.[part];
      return split ? runImages(part === 'train' ? 'train' : 'val', split, data.classes, data.root) : [];
    });
    const result = {
      ...{ constants, choice, epochs: fitted.epochs },
      ...{ train: await scored(train), validation: validation ? await scored(validation) : null },
    };
    await createDirectoryAtomically(request.out, async (directory) => {
      await writeFileAtomically(join(directory, 'run.json'), recordJson(record));
      await writeFileAtomically(imagesPath(directory), imageLines(images));
      await writeFileAtomically(join(directory, LEARNED_FILE), await learnedBytes(learner, fitted));
    });
    return result;
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

/** What the learner is fitted to: features, and those of one text for each class. */
async function jobOf(
  { memory }: FitRequest,
  engine: Engine,
  model: ModelDirectory,
  sequences: readonly (readonly number[])[],
  { train, validation }: EncodedData,
): Promise<FeatureJob> {
  const { projectionDim: width } = model.config;
  using tower = await TextTower.load(engine, model.clip, model.config);
  const rawTexts = new Float32Array(sequences.length * width);
  let at = 0;
  for await (const part of encodeTexts(tower, new TokenEmbeddings(model.clip), sequences, memory)) {
    rawTexts.set(part, at);
    at += part.length;
  }
  const texts = normalizedFeatures(rawTexts, width);
  const { logitScale: scale } = tower;
  return { engine, classes: sequences.length, width, train, validation, texts, rawTexts, scale, memory };
}
