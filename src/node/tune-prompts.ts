/**
 * The whole job of `ptdpc train`, from folder names to trained prompts on disk, for programs.
 *
 *     const last = await tunePrompts({
 *       model: 'clip-vit-b32', data: 'fi', out: 'runs/fi', options: tuningOptions('paper'),
 *       openDevice: () => openDevice('auto'), cacheDirectory: defaultCacheDirectory(), memory: 2 ** 30,
 *     });
 *
 * Called again with the same request after an interruption, it resumes after the last epoch; if the GPU is lost, it does so once by itself.
 * `training-run.ts` is the part for programs that open the model and encode the images themselves.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TextTower } from '../clip/towers/index.js';
import { InputError } from '../errors.js';
import { type PromptOptions, promptSetup } from '../learners/prompts/index.js';
import {
  bestRate,
  type Dataset,
  describeDataset,
  type EpochMetrics,
  holdOut,
  imagesOf,
  prepareDevice,
  promptText,
  type RateChoice,
  requireVotes,
  TrainingDiverged,
} from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { writeFileAtomically } from './atomic.js';
import { exists } from './checkpoint-files.js';
import { type DatasetOptions, openDataset } from './datasets.js';
import { onDevice } from './device.js';
import { type EncodedSplit, type EncodingRequest, encodeSplit, encodeViews, type ImageJob } from './encode-splits.js';
import { type Events, SILENT } from './events.js';
import type { SkippedImage } from './image-files.js';
import { makeFolder } from './make-folder.js';
import { openModelDirectory } from './model-directory.js';
import { RunDirectory, TRIALS } from './run-directory.js';
import { type TrainingRun, trainRun } from './training-run.js';

/** A training, given by folders and options. */
export interface TuneRequest extends ImageJob {
  /** Model directory. */
  readonly model: string;
  /** Folder of the data set, or a manifest. */
  readonly data: string;
  /** What it is, where its files do not say, and how it is split. */
  readonly dataset?: Omit<DatasetOptions, 'classes'> | undefined;
  /** Folder of the run. */
  readonly out: string;
  /** Classes in order, or `folder` or `folder=word` separated by commas; undefined: all folders. */
  readonly classes?: DatasetOptions['classes'];
  readonly options: PromptOptions;
  /** Learning rates to choose from by validation; undefined: the one of `options`. */
  readonly rates?: readonly number[] | undefined;
  /** Called before training with the skipped images, and with the paths of truncated images that were read. */
  readonly onSkipped?: ((skipped: readonly SkippedImage[], truncated: readonly string[]) => void) | undefined;
  /** Called after each epoch, once it is on disk. */
  readonly onEpoch?: ((metrics: EpochMetrics) => void) | undefined;
}

/** The last epoch's metrics. */
export interface TunedRun extends EpochMetrics {
  readonly learningRate: number;
  /** The learning rates that validation chose between; empty if one was given. */
  readonly choice: readonly RateChoice[];
}

/**
 * Trains, or resumes a training. With `rates`, a run is trained at each of them in `trials/` of the run's folder, and the one with the best
 * validation accuracy counts; without validation images, a tenth of the training images is held out for the choice, and the chosen rate
 * trained again on all of them. Throws InputError for input that does not allow it.
 */
export async function tunePrompts(request: TuneRequest): Promise<TunedRun> {
  await RunDirectory.requirePlace(request.out);
  // A chosen rate is not known yet.
  if (!request.rates) await RunDirectory.requireOptions(request.out, request.options);
  await using model = await openModelDirectory(request.model, request.cacheDirectory);
  const data = await openTrainingData(request);
  const [image] = imagesOf(data, 'train');
  // What does not fit is known before images are encoded: votes that are missing, and a template that is too long.
  const words = data.classes.map(({ word }) => word);
  const { layout, model: how } = promptSetup(request.options);
  if (how.loss === 'kl') requireVotes(image?.distribution);
  const text = promptText(await model.tokenizer(), layout, words, model.config.text.context);

  const { openDevice, events = SILENT } = request;
  await using claim = await RunDirectory.claim(request.out, (line) => events.say(line));
  let encoded: EncodedData | undefined;
  return await onDevice(openDevice, events, async ({ backend }) => {
    const engine = new Engine(backend);
    // Features are in host memory, which survives a lost device.
    const prepared = prepareDevice(backend, 'train', model.clip, model.config, {
      options: request.options,
      text,
    });
    encoded ??= await encodeData({ ...request, engine, model }, data, request.onSkipped);
    using tower = await TextTower.load(engine, model.clip, model.config);
    await prepared;
    const training: TrainingRun = { ...request, data, claim, model, tower, classes: data.classes, ...encoded };
    const { rates, options } = request;
    const choice = rates ? await tryRates(training, rates) : [];
    const learningRate = rates ? bestRate(choice) : options.learningRate;
    // The trials have already reported it.
    const chosen = { ...training, options: { ...options, learningRate }, events: rates ? quiet(events) : events };
    const last = await trainRun(chosen);
    return { ...last, learningRate, choice };
  });
}

/** Trains a run at each rate. With validation images of the data set, the best one becomes the run itself. */
async function tryRates(training: TrainingRun, rates: readonly number[]): Promise<RateChoice[]> {
  const { out, options, train, validation, events = SILENT } = training;
  const images = validation ? { train, validation } : heldOut(training);
  const folder = (rate: number) => join(out, TRIALS, `lr-${rate}`);
  const choice: RateChoice[] = [];
  for (const [i, learningRate] of rates.entries()) {
    events.say(`learning rate ${learningRate}`);
    const trial = { ...training, ...images, out: folder(learningRate), options: { ...options, learningRate } };
    await makeFolder(trial.out);
    const last = await trainRun({ ...trial, use: undefined, events: i > 0 ? quiet(events) : events }).catch(
      (error: unknown) => {
        if (!(error instanceof TrainingDiverged)) throw error;
        events.say(`learning rate ${learningRate} is left out: ${error.message}`);
      },
    );
    if (last) choice.push({ learningRate, valAccuracy: last.valAccuracy!, valLoss: last.valLoss! });
  }
  if (choice.length === 0) throw new InputError(`training diverges at every learning rate (${rates.join(', ')})`);
  if (validation && !(await exists(join(out, 'run.json')))) await copyRun(folder(bestRate(choice)), out);
  return choice;
}

/** Progress without messages, which the first trial gives for all. */
function quiet(events: Events): Events {
  return { say: () => {}, progress: events.progress.bind(events) };
}

/** The files of a run: the record first and the state last, so that a copy that is cut short is a run that starts again. */
async function copyRun(from: string, to: string): Promise<void> {
  for (const name of ['run.json', 'images.csv', 'metrics.jsonl', 'prompts.safetensors', 'state.safetensors'])
    await writeFileAtomically(join(to, name), await readFile(join(from, name)));
}

/** The training images in two parts, see `holdOut`. */
function heldOut({ train, options }: TrainingRun): { train: EncodedSplit; validation: EncodedSplit } {
  const { fit, held } = holdOut(
    Array.from(train.labels, (label, index) => ({ label, index })),
    options.seed,
  );
  const part = (images: readonly { index: number }[]): EncodedSplit => {
    const rowsOf = (matrix: Float32Array) => {
      const columns = matrix.length / train.labels.length;
      const rows = new Float32Array(images.length * columns);
      for (const [row, { index }] of images.entries())
        rows.set(matrix.subarray(index * columns, (index + 1) * columns), row * columns);
      return rows;
    };
    return {
      ...train,
      features: rowsOf(train.features),
      votes: train.votes && rowsOf(train.votes),
      views: train.views?.map(rowsOf),
      labels: Int32Array.from(images, ({ index }) => train.labels[index]!),
      paths: images.map(({ index }) => train.paths[index]!),
      hashes: images.map(({ index }) => train.hashes[index]!),
    };
  };
  if (held.length === 0)
    throw new InputError('--lr auto: expected validation images, or a class with two training images to hold one out');
  return { train: part(fit), validation: part(held) };
}

/** Opens the data set of a training. Throws InputError if there are not two classes to tell apart. */
export async function openTrainingData({
  data,
  dataset,
  classes,
  events = SILENT,
}: Pick<TuneRequest, 'data' | 'dataset' | 'classes' | 'events'>): Promise<Dataset> {
  const opened = await openDataset(data, { ...dataset, classes });
  for (const line of describeDataset(opened)) events.say(line);
  const [only] = opened.classes;
  if (opened.classes.length < 2)
    throw new InputError(`${data}: expected at least two classes to tell apart, found one ("${only?.folder}")`);
  return opened;
}

/** The images of a training, encoded. */
export interface EncodedData {
  train: EncodedSplit;
  validation: EncodedSplit | undefined;
}

/** Encodes the images of a training, and says which cannot be read. */
export async function encodeData(
  encoding: EncodingRequest,
  data: Dataset,
  onSkipped: TuneRequest['onSkipped'],
): Promise<EncodedData> {
  const { views } = data.origin;
  const images = imagesOf(data, 'train');
  const train = views
    ? await encodeViews(encoding, images, data.classes, views)
    : await encodeSplit(encoding, images, data.classes);
  const { val } = data.splits;
  const validation = val && (await encodeSplit(encoding, val, data.classes));
  onSkipped?.(
    [...train.skipped, ...(validation?.skipped ?? [])],
    [...train.truncated, ...(validation?.truncated ?? [])],
  );
  return { train, validation };
}
