/**
 * The whole job of `ptdpc train`, from folder names to tuned prompts on disk: what the command does, for programs.
 *
 *     const last = await tunePrompts({
 *       model: 'clip-vit-b32', data: 'fi', out: 'runs/fi', options: tuningOptions('paper'),
 *       openDevice: () => openDevice('auto'), cacheDirectory: defaultCacheDirectory(), memory: 2 ** 30,
 *     });
 *
 * Called again after an interruption, with the same request, it goes on where the last epoch ended; where a GPU is lost, it does so once by
 * itself. `training-run.ts` is the part of it for a program that has opened the model and encoded the images itself.
 */
import type { TruncatedImages } from '../clip/image/index.js';
import { TextTower } from '../clip/towers/index.js';
import { InputError } from '../errors.js';
import {
  type Dataset,
  describeDataset,
  type EpochMetrics,
  imagesOf,
  promptText,
  type TuningOptions,
} from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { type DatasetOptions, openDataset } from './datasets/index.js';
import type { OpenedDevice } from './device.js';
import { type EncodingRequest, encodeSplit } from './encode-splits.js';
import { type Events, SILENT } from './events.js';
import type { SkippedImage } from './image-files.js';
import type { EncodedSplit } from './labelled-images.js';
import { openModelDirectory } from './model-directory.js';
import { onDevice } from './on-device.js';
import { RunDirectory } from './run-directory.js';
import { trainRun } from './training-run.js';

/** Folders, and what is to be done with them. */
export interface TuneRequest {
  /** Model directory. */
  readonly model: string;
  /** Folder of the data set, or a manifest. */
  readonly data: string;
  /** What it is, where its files do not say, and how it is split. */
  readonly dataset?: Omit<DatasetOptions, 'classes'> | undefined;
  /** Folder of the run. */
  readonly out: string;
  /** Classes in order, `folder` or `folder=word`, separated by commas; undefined: all folders. */
  readonly classes?: string | undefined;
  readonly options: TuningOptions;
  /** Opens the device when it is needed. */
  readonly openDevice: () => Promise<OpenedDevice>;
  /** Where image features are kept; undefined: nowhere. */
  readonly cacheDirectory: string | undefined;
  /** Working memory in bytes, beside the weights. */
  readonly memory: number;
  /** True: the first unreadable image is an InputError. */
  readonly strict?: boolean | undefined;
  /** What becomes of images whose files are cut short. Default: `skip`. */
  readonly truncated?: TruncatedImages | undefined;
  readonly events?: Events | undefined;
  /** Hears of the images that were passed over, and of the paths of those that were read though their files are cut short, before training. */
  readonly onSkipped?: ((skipped: readonly SkippedImage[], truncated: readonly string[]) => void) | undefined;
  /** Hears of every epoch after it is on disk. */
  readonly onEpoch?: ((metrics: EpochMetrics) => void) | undefined;
}

/** Trains, or goes on training, and returns the last epoch's metrics. Throws InputError where that is impossible. */
export async function tunePrompts(request: TuneRequest): Promise<EpochMetrics> {
  await RunDirectory.requirePlace(request.out);
  await using model = await openModelDirectory(request.model);
  const data = await openTrainingData(request);
  imagesOf(data, 'train');
  // A template that does not fit is known before images are encoded.
  const words = data.classes.map(({ word }) => word);
  promptText(await model.tokenizer(), request.options.template, words, model.config.text.context);

  const { openDevice, events = SILENT } = request;
  await using claim = await RunDirectory.claim(request.out, (line) => events.say(line));
  let encoded: EncodedData | undefined;
  return await onDevice(openDevice, events, async ({ backend }) => {
    const engine = new Engine(backend);
    // Features are on the host, which a lost device leaves as it is.
    encoded ??= await encodeData({ ...request, engine, model }, data, request.onSkipped);
    using tower = await TextTower.load(engine, model.clip, model.config);
    return await trainRun({ ...request, data, claim, model, tower, classes: data.classes, ...encoded });
  });
}

async function openTrainingData({ data, dataset, classes, events = SILENT }: TuneRequest): Promise<Dataset> {
  const opened = await openDataset(data, { ...dataset, classes });
  for (const line of describeDataset(opened)) events.say(line);
  const [only] = opened.classes;
  if (opened.classes.length < 2)
    throw new InputError(`${data}: expected at least two classes to tell apart, found one ("${only?.folder}")`);
  return opened;
}

interface EncodedData {
  train: EncodedSplit;
  validation: EncodedSplit | undefined;
}

async function encodeData(
  encoding: EncodingRequest,
  data: Dataset,
  onSkipped: TuneRequest['onSkipped'],
): Promise<EncodedData> {
  const train = await encodeSplit(encoding, imagesOf(data, 'train'), data.classes);
  const { val } = data.splits;
  const validation = val && (await encodeSplit(encoding, val, data.classes));
  onSkipped?.(
    [...train.skipped, ...(validation?.skipped ?? [])],
    [...train.truncated, ...(validation?.truncated ?? [])],
  );
  return { train, validation };
}
