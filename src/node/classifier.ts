/** A run opened to classify images with what it learned: prompts, a linear layer, or nothing but CLIP. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readLogitScale } from '../clip/towers/index.js';
import { InputError } from '../errors.js';
import { featureLogits } from '../learners/features/feature-learner.js';
import { featureLearnerNamed } from '../learners/features/index.js';
import { promptSetup } from '../learners/prompts/index.js';
import { decodeImagePrompts } from '../ptdpc/image-prompts/index.js';
import {
  type AnyPromptsFile,
  type ClassName,
  ClipModel,
  classFeatures,
  decodePrompts,
  isClassSpecific,
  isPerImage,
  predictLogits,
  probeLogits,
  requireSameModel,
  sharedTextFeatures,
  textOfPrompts,
  textScorer,
  zeroShotTexts,
} from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { exists } from './checkpoint-files.js';
import type { OpenedDevice } from './device.js';
import { sha256 } from './feature-segment.js';
import { openFileSource } from './file-source.js';
import { clipEncoder, type ImageEncoder, openEncoder } from './image-encoder.js';
import { LEARNED_FILE, PROBE_FILE, readLearned, readProbe } from './learned-file.js';
import { type ModelDirectory, openModelDirectory } from './model-directory.js';
import { mapleTextFeatures, promptedEncoder } from './prompted-clip.js';
import { openRunFile, readRunPrompts } from './run-directory.js';
import {
  type FeaturesRecord,
  type ImagesRecord,
  type ProbeRecord,
  type RunRecord,
  readPromptsRecord,
  readRunRecord,
  type ZeroShotRecord,
} from './run-record.js';
import { keptTexts } from './text-cache.js';

/** A run's prompts with the model that they were trained with. */
export interface RunFiles extends AsyncDisposable {
  /** The latest prompts. `new ClipModel(device, model).restorePrompts(prompts)` puts them on a device. */
  readonly prompts: AnyPromptsFile;
  /** Closed when this is disposed. */
  readonly model: ModelDirectory;
}

/** A classifier, its classes, and what it is compared with. */
export interface ClassScoring {
  readonly classes: readonly ClassName[];
  /** What the images are compared with, computed once for all of them, or kept from an earlier call. */
  scorer(device: OpenedDevice, options: ScorerOptions): Promise<Scorer>;
  /** For prompts: CLIP without training on the same features, by the template that the prompts began as. */
  readonly zeroShot?: ZeroShotBaseline | undefined;
}

/** A run of any learner. */
export interface Classifier extends ClassScoring, AsyncDisposable {
  /** Null for a prompts.safetensors without its folder. */
  readonly record: RunRecord | null;
  /** Epochs of training. */
  readonly epochs: number;
  /** Encodes the images. */
  readonly encoder: ImageEncoder;
  /**
   * The same with other classes than those of the training: what was learned is put before their words. Undefined if it is of the training's
   * classes, as class-specific prompts and layers on features are.
   */
  readonly forClasses: ((classes: readonly ClassName[]) => ClassScoring) | undefined;
}

/** CLIP without training beside what a run has learned. It is closed with it. */
export interface ZeroShotBaseline extends Pick<ClassScoring, 'scorer'> {
  readonly templates: readonly string[];
}

export interface ScorerOptions {
  /** In bytes, beside the weights. */
  readonly memory: number;
  /** Where texts are kept; undefined: nowhere. */
  readonly cacheDirectory: string | undefined;
}

/** Scores images in as many calls as their number takes. */
export interface Scorer extends Disposable {
  /** Logits [images, classes] of features as `encodeSplit` gives them. */
  logits(features: Float32Array): Promise<Float32Array>;
}

/** Where a run's model is, if not where the run says, and the cache that remembers the hash of its weights. */
export interface ModelPlace {
  readonly model?: string | undefined;
  readonly cacheDirectory?: string | undefined;
}

/**
 * Reads a run of prompts and opens its model, in the directory that run.json names or in `place.model`. `run` may be a prompts.safetensors
 * alone, as the page saves it, if that is given. Throws InputError if the model is not the one that the prompts were trained with.
 */
export async function openRun(run: string, place: ModelPlace = {}): Promise<RunFiles> {
  const { model: modelDirectory } = place;
  const isFile = await isPromptsFile(run);
  const directory = modelDirectory ?? (isFile ? undefined : (await readPromptsRecord(run)).model.directory);
  const prompts = isFile ? await readPromptsFile(run) : await readRunPrompts(run);
  if (directory === undefined)
    throw new InputError(`${run}: a file of prompts does not record where its model is; pass --model <dir>`);
  const model = await openRunModel(run, prompts.modelHash, directory, place);
  return { prompts, model, [Symbol.asyncDispose]: () => model.close() };
}

/** Opens a run of any learner; see `openRun`. Throws InputError if its model is another one now. */
export async function openClassifier(run: string, place: ModelPlace = {}): Promise<Classifier> {
  const record = (await isPromptsFile(run)) ? null : await readRunRecord(run);
  switch (record?.learner) {
    case 'zero-shot':
      return await openZeroShot(run, record, place);
    case 'probe':
      return await openProbe(run, record, place);
    case 'features':
      return await openFeatures(run, record, place);
    case 'images':
      return await openImages(run, record, place);
    default:
      return await openPrompts(run, record, place);
  }
}

/** Whether a run was given as its prompts.safetensors alone. */
export async function isPromptsFile(run: string): Promise<boolean> {
  return (await stat(run).catch(() => undefined))?.isFile() ?? false;
}

async function openPrompts(run: string, record: RunRecord | null, place: ModelPlace): Promise<Classifier> {
  const files = await openRun(run, place);
  const { prompts, model } = files;
  const setup = promptSetup(prompts.options);
  const { mode, metaNet } = setup.model;
  const score = metaNet !== undefined || isPerImage(mode) ? perImageScorer : sharedScorer;
  const templates = [setup.template];
  const scoring = (classes: readonly ClassName[]): ClassScoring => ({
    classes,
    scorer: (device, options) => score(run, { ...files, prompts: { ...prompts, classes } }, device, options),
    zeroShot: { templates, scorer: zeroShotClassifier(model, classes, templates).scorer },
  });
  return {
    ...scoring(prompts.classes),
    ...{ record, epochs: prompts.epochs, encoder: clipEncoder(model) },
    forClasses: isClassSpecific(mode) ? undefined : scoring,
    [Symbol.asyncDispose]: () => model.close(),
  };
}

/** Every image has texts of its own, for which the text tower stays. */
async function perImageScorer(
  run: string,
  { prompts, model }: Pick<RunFiles, 'prompts' | 'model'>,
  device: OpenedDevice,
  { memory }: ScorerOptions,
): Promise<Scorer> {
  const clip = new ClipModel(device, model, { memory });
  try {
    const tuned = await clip.restorePrompts(prompts, run);
    return scorerOf((features) => predictLogits(tuned.model, features, memory), [tuned, clip]);
  } catch (error) {
    clip[Symbol.dispose]();
    throw error;
  }
}

/** All images are compared with the same texts, which need the text tower once. */
async function sharedScorer(
  run: string,
  { prompts, model }: Pick<RunFiles, 'prompts' | 'model'>,
  device: OpenedDevice,
  { memory, cacheDirectory }: ScorerOptions,
): Promise<Scorer> {
  const { options, shape } = prompts;
  const { mode, learnSot, logitScale } = promptSetup(options).model;
  const learned = prompts.prompts;
  const origin = {
    ...{ mode, learnSot, shape, text: await textOfPrompts(prompts, model) },
    prompts: sha256(new Uint8Array(learned.buffer, learned.byteOffset, learned.byteLength)),
  };
  const { arithmetic } = device.backend;
  const request = { model, arithmetic, cacheDirectory, classes: prompts.classes.length, origin };
  const texts = await keptTexts(request, async () => {
    using clip = new ClipModel(device, model, { memory });
    using tuned = await clip.restorePrompts(prompts, run);
    return await sharedTextFeatures(tuned.model, memory);
  });
  const scale = logitScale === 'clip' ? await readLogitScale(model.clip) : logitScale;
  return scorerOf(textScorer(new Engine(device.backend), texts, model.config.projectionDim, scale, memory));
}

async function openZeroShot(run: string, record: ZeroShotRecord, place: ModelPlace): Promise<Classifier> {
  const model = await openRunModel(run, record.model.sha256, place.model ?? record.model.directory, place);
  return zeroShotClassifier(model, record.classes, record.templates, record);
}

/** CLIP as a classifier by texts. It closes the model. */
export function zeroShotClassifier(
  model: ModelDirectory,
  classes: readonly ClassName[],
  templates: readonly string[],
  record: ZeroShotRecord | null = null,
): Classifier {
  const words = classes.map(({ word }) => word);
  return {
    ...{ record, classes, epochs: 0, encoder: clipEncoder(model) },
    scorer: async (device, { memory, cacheDirectory }) => {
      const { text, projectionDim: width } = model.config;
      const texts = zeroShotTexts(await model.tokenizer(), words, templates, text.context);
      const { arithmetic } = device.backend;
      const request = { model, arithmetic, cacheDirectory, classes: words.length, origin: { texts } };
      const features = await keptTexts(request, async () => {
        using clip = new ClipModel(device, model, { memory });
        return await classFeatures(await clip.textTower(), clip.tokenEmbeddings, texts, memory);
      });
      const scale = await readLogitScale(model.clip);
      return scorerOf(textScorer(new Engine(device.backend), features, width, scale, memory));
    },
    forClasses: (others) => zeroShotClassifier(model, others, templates),
    [Symbol.asyncDispose]: () => model.close(),
  };
}

async function openProbe(run: string, record: ProbeRecord, place: ModelPlace): Promise<Classifier> {
  const probe = await readProbe(join(run, PROBE_FILE), record.classes.length);
  const path = place.model ?? record.model.directory;
  await requireModelAt(run, path, place.model);
  const encoder = await openEncoder(path, {
    ...{ features: record.features, preprocess: record.preprocess, cacheDirectory: place.cacheDirectory },
  });
  try {
    if (encoder.width !== probe.width || (await encoder.hash()) !== record.model.sha256)
      throw new InputError(
        `${run}: was trained with another model than the one in ${path}; choose it with --model <dir>`,
      );
  } catch (error) {
    await encoder[Symbol.asyncDispose]();
    throw error;
  }
  return {
    ...{ record, classes: record.classes, epochs: record.options.epochs, encoder },
    scorer: (device, { memory }) => {
      const engine = new Engine(device.backend);
      return Promise.resolve(scorerOf((features) => probeLogits(engine, probe, features, memory)));
    },
    forClasses: undefined,
    [Symbol.asyncDispose]: () => encoder[Symbol.asyncDispose](),
  };
}

async function openFeatures(run: string, record: FeaturesRecord, place: ModelPlace): Promise<Classifier> {
  const learner = featureLearnerNamed(record.name);
  const model = await openRunModel(run, record.model.sha256, place.model ?? record.model.directory, place);
  const { classes, constants, images } = record;
  const { projectionDim: joint } = model.config;
  const sizes = { classes: classes.length, joint, images: images.train };
  const tensors = await readLearned(join(run, LEARNED_FILE), learner, sizes).catch(async (error: unknown) => {
    await model.close();
    throw error;
  });
  const templates = [String(record.options.zeroShotTemplate)];
  return {
    ...{ record, classes, epochs: Number(record.options.epochs ?? record.options.iterations ?? 0) },
    encoder: clipEncoder(model),
    scorer: (device, { memory }) => {
      const engine = new Engine(device.backend);
      const fitted = { tensors, constants };
      return Promise.resolve(
        scorerOf((features) => featureLogits(engine, learner.model, fitted, features, sizes, memory)),
      );
    },
    zeroShot: { templates, scorer: zeroShotClassifier(model, classes, templates).scorer },
    forClasses: undefined,
    [Symbol.asyncDispose]: () => model.close(),
  };
}

/** Tokens of the image tower: another encoder, whose features are compared with CLIP's texts, or with learned ones. */
async function openImages(run: string, record: ImagesRecord, place: ModelPlace): Promise<Classifier> {
  const { options } = record;
  const model = await openRunModel(run, record.model.sha256, place.model ?? record.model.directory, place);
  try {
    await using source = await openRunFile(run);
    const { learned, epochs } = await decodeImagePrompts(source, options, model.config);
    const scale = await readLogitScale(model.clip);
    const scoring = (classes: readonly ClassName[]): ClassScoring => {
      if (options.learner === 'vpt')
        return { classes, scorer: zeroShotClassifier(model, classes, [options.zeroShotTemplate]).scorer };
      const words = classes.map(({ word }) => word);
      return {
        classes,
        scorer: async (device, { memory, cacheDirectory }) => {
          const texts = await mapleTextFeatures({ model, options, learned }, words, device, memory, cacheDirectory);
          return scorerOf(textScorer(new Engine(device.backend), texts, model.config.projectionDim, scale, memory));
        },
      };
    };
    return {
      ...scoring(record.classes),
      ...{ record, epochs, encoder: promptedEncoder({ model, options, learned }) },
      forClasses: scoring,
      [Symbol.asyncDispose]: () => model.close(),
    };
  } catch (error) {
    await model.close();
    throw error;
  }
}

/** `parts` are what it needs, which go with it, in this order. */
function scorerOf(logits: Scorer['logits'], parts: readonly Disposable[] = []): Scorer {
  return {
    logits,
    [Symbol.dispose]: () => {
      for (const part of parts) part[Symbol.dispose]();
    },
  };
}

/** Opens the model of a run at `directory`. Throws InputError if it is not there, or another one. */
async function openRunModel(
  run: string,
  modelHash: string,
  directory: string,
  { model: given, cacheDirectory }: ModelPlace,
): Promise<ModelDirectory> {
  await requireModelAt(run, directory, given);
  const model = await openModelDirectory(directory, cacheDirectory);
  try {
    await requireSameModel(run, { modelHash }, model);
    return model;
  } catch (error) {
    await model.close();
    throw error;
  }
}

async function requireModelAt(run: string, directory: string, given: string | undefined): Promise<void> {
  if (given === undefined && !(await exists(directory)))
    throw new InputError(`${run}: its model is no longer at ${directory}; pass --model <dir>`);
}

async function readPromptsFile(file: string): Promise<AnyPromptsFile> {
  await using source = await openFileSource(file);
  return await decodePrompts(source);
}
