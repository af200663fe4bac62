/**
 * The whole job of `ptdpc train --learner vpt` and `maple`, from folder names to a run, for programs: as `tunePrompts`, on pictures in place of
 * features.
 */
import { TextTower, TokenEmbeddings, VisionTower } from '../clip/towers/index.js';
import { counted } from '../errors.js';
import { deepest, type ImageOptions, requireDepth } from '../learners/images/index.js';
import { trainingOf } from '../learners/index.js';
import {
  type ClassTexts,
  FixedTexts,
  ImagePromptModel,
  LearnedTexts,
  learnedParameters,
  learnedShapes,
  learnedStart,
  mapleText,
  predictImages,
  requireImageMemory,
  startImageGradient,
} from '../ptdpc/image-prompts/index.js';
import {
  classFeatures,
  type Dataset,
  type EpochMetrics,
  evaluate,
  imagesOf,
  type PromptText,
  type TrainingImages,
  trainModel,
  zeroShotTexts,
} from '../ptdpc/index.js';
import { partsOf } from '../ptdpc/learned-numbers.js';
import { Engine } from '../tensor/index.js';
import { onDevice } from './device.js';
import { SILENT } from './events.js';
import { type ModelDirectory, openModelDirectory } from './model-directory.js';
import { type PictureSplit, pictureBytes, readPictures } from './pictures.js';
import { RunDirectory } from './run-directory.js';
import { runImages } from './run-images.js';
import { commonRecord, trainedOn } from './run-record.js';
import { trainInFolder } from './train-in-folder.js';
import { openTrainingData, type TuneRequest } from './tune-prompts.js';

/** A training, given by folders and options. */
export interface TuneImagesRequest extends Omit<TuneRequest, 'options' | 'rates'> {
  readonly options: ImageOptions;
  /** True: of a model with fewer layers than `depth`, all have tokens, and that is said. Default: it is an InputError. */
  readonly limitDepth?: boolean | undefined;
}

/**
 * Trains, or resumes a training, and returns the last epoch's metrics. Pixels of all images and views are kept in host memory if they take at most
 * `memory` bytes, beside what it is for; else images are decoded again in every epoch. Throws InputError for input that does not allow it.
 */
export async function tuneImages(request: TuneImagesRequest): Promise<EpochMetrics> {
  const { out, openDevice, memory, strict, truncated, events = SILENT } = request;
  await RunDirectory.requirePlace(out);
  await using model = await openModelDirectory(request.model, request.cacheDirectory);
  const options = fittingDepth(request, model);
  await RunDirectory.requireOptions(out, options);
  const data = await openTrainingData(request);
  const words = data.classes.map(({ word }) => word);
  const texts = await textsOf(options, model, words);
  const { depth } = request.options;
  if (options.depth < depth) events.say(`--depth ${options.depth}, all layers of this model, in place of ${depth}`);
  await using claim = await RunDirectory.claim(out, (line) => events.say(line));
  let pictures: Pictures | undefined;
  return await onDevice(openDevice, events, async ({ backend }) => {
    const engine = new Engine(backend);
    // Pixels are in host memory, which survives a lost device.
    pictures ??= await readAll(request, model, data);
    const { train, validation } = pictures;
    using parts = new DisposableStack();
    const vision = parts.use(await VisionTower.load(engine, model.clip, model.config));
    const embeddings = new TokenEmbeddings(model.clip);
    const start = await learnedStart(options, model.config, embeddings, texts.learned);
    const parameters = learnedParameters(engine, options, model.config, start);
    const compared = parts.use(await comparedTexts(engine, model, texts, parameters.slice(0, options.depth), memory));
    const prompts = parts.use(
      new ImagePromptModel(vision, compared.texts, options, parameters, compared.logitScale, model.preprocessing),
    );
    requireImageMemory(prompts, memory);
    const { training } = trainingOf(options);
    const { root, setting, origin, classes } = data;
    const dataset = { root, setting, origin, classes };
    const listed = [
      ...runImages('train', train, classes, root),
      ...(validation ? runImages('val', validation, classes, root) : []),
    ];
    const record = {
      ...{ learner: 'images' as const },
      ...(await commonRecord({ model, dataset, backend, memory, strict, truncated })),
      ...{ options, ...trainedOn(root, train, validation) },
    };
    const shapes = learnedShapes(options, model.config);
    return await trainInFolder({
      ...{ out, claim, record, listed, events, model: prompts, options: training, images: train.labels.length },
      what: `${counted(prompts.tokens, 'token')} in ${counted(options.depth, 'layer')}${options.learner === 'maple' ? ' of both towers' : ''}`,
      tensors: (learned) => {
        const parts = partsOf(learned, parameters);
        return { tensors: shapes.map(([name, shape], i) => [name, shape, parts[i]!] as const) };
      },
      train: (hooks) =>
        trainModel({
          ...hooks,
          ...{ model: prompts, options: training, memory, images: trainingImages(prompts, train, validation, memory) },
        }),
      onEpoch: request.onEpoch,
    });
  });
}

/** The options with a depth that the model has. */
function fittingDepth({ options, limitDepth }: TuneImagesRequest, model: ModelDirectory): ImageOptions {
  const layers = { vision: model.config.vision.layers, text: model.config.text.layers };
  const most = deepest(options.learner, layers);
  if (options.depth > most && limitDepth) return { ...options, depth: most };
  requireDepth(options, layers);
  return options;
}

/** What the texts are made of: token sequences, or MaPLe's learned tokens among others. */
interface TextSource {
  readonly sequences?: readonly (readonly (readonly number[])[])[];
  readonly learned?: PromptText;
}

/** Throws InputError for words that do not fit. */
async function textsOf(options: ImageOptions, model: ModelDirectory, words: readonly string[]): Promise<TextSource> {
  const tokenizer = await model.tokenizer();
  const { context } = model.config.text;
  if (options.learner === 'maple') return { learned: mapleText(tokenizer, options, words, context) };
  return { sequences: zeroShotTexts(tokenizer, words, [options.zeroShotTemplate], context) };
}

/** What the images are compared with. Fixed texts need the text tower only here. */
async function comparedTexts(
  engine: Engine,
  model: ModelDirectory,
  { sequences = [], learned }: TextSource,
  contexts: ConstructorParameters<typeof ImagePromptModel>[3],
  memory: number,
): Promise<{ readonly texts: ClassTexts; readonly logitScale: number } & Disposable> {
  const embeddings = new TokenEmbeddings(model.clip);
  const tower = await TextTower.load(engine, model.clip, model.config);
  const { logitScale } = tower;
  if (learned) {
    const texts = await LearnedTexts.create(tower, embeddings, learned, contexts);
    const dispose = () => {
      texts[Symbol.dispose]();
      tower[Symbol.dispose]();
    };
    return { texts, logitScale, [Symbol.dispose]: dispose };
  }
  using _ = tower;
  const features = await classFeatures(tower, embeddings, sequences, memory);
  const texts = new FixedTexts(engine, features, model.config.projectionDim);
  return { texts, logitScale, [Symbol.dispose]: () => texts[Symbol.dispose]() };
}

/** The pictures of a training. */
interface Pictures {
  readonly train: PictureSplit;
  readonly validation: PictureSplit | undefined;
}

async function readAll(
  request: TuneImagesRequest,
  { preprocessing }: ModelDirectory,
  data: Dataset,
): Promise<Pictures> {
  const { strict, truncated, events = SILENT, memory } = request;
  const { views } = data.origin;
  const images = imagesOf(data, 'train');
  const { val } = data.splits;
  const bytes = pictureBytes(images.length, preprocessing, views) + pictureBytes(val?.length ?? 0, preprocessing);
  const keep = bytes <= memory;
  if (!keep) events.say('the pixels of all images do not fit in --memory, so every epoch decodes them again');
  const how = { preprocessing, strict, truncated, events, keep };
  const train = await readPictures({ ...how, views }, images, data.classes);
  const validation = val && (await readPictures(how, val, data.classes));
  request.onSkipped?.(
    [...train.skipped, ...(validation?.skipped ?? [])],
    [...train.truncated, ...(validation?.truncated ?? [])],
  );
  return { train, validation };
}

/** The images as the loop takes them. */
function trainingImages(
  model: ImagePromptModel,
  train: PictureSplit,
  validation: PictureSplit | undefined,
  memory: number,
): TrainingImages {
  const { labels } = train;
  const judged = validation ?? { ...train, labels: labels.subarray(0, 1), votes: undefined };
  return {
    labels,
    validates: validation !== undefined,
    gradient: async (epoch, images) => {
      const pixels = await train.pixels(images, epoch);
      return await startImageGradient(model, { pixels, labels: images.map((image) => labels[image]!) }, memory);
    },
    evaluate: async () => {
      const places = judged.labels.map((_, i) => i);
      const pixels = (start: number, end: number) => judged.pixels(places.subarray(start, end));
      const logits = await predictImages(model, places.length, pixels, memory);
      const seen = evaluate(logits, judged.labels, model.classes, judged.votes);
      return { seen, loss: seen.loss };
    },
  };
}
