/** Encodes image files, plain or with labels, with the feature cache and progress; for a program's `ClipModel` too. */
import { describePreprocessing, type TruncatedImages } from '../clip/image/index.js';
import type { EncoderTower } from '../encoders/index.js';
import { InputError } from '../errors.js';
import {
  type ClassName,
  type ClipModel,
  type Dataset,
  imagesOf,
  type LabelledFeatures,
  type LabelledPath,
  type ModelSource,
  normalizedFeatures,
  type Split,
  stackedDistributions,
} from '../ptdpc/index.js';
import { LoadedOnce } from '../ptdpc/library/clip-model.js';
import { Engine } from '../tensor/index.js';
import { requirePlaceForFile, withSpool } from './atomic.js';
import type { OpenedDevice } from './device.js';
import { type EncodedImages, encodeImages } from './encode-images.js';
import { type Events, SILENT } from './events.js';
import { FeatureCache } from './feature-cache.js';
import { writeFeatureFile } from './feature-file.js';
import { FileHashes } from './file-hashes.js';
import { type EncoderOptions, encoderOf, type ImageEncoder, openEncoder } from './image-encoder.js';
import { listImages, type SkippedImage } from './image-files.js';
import { noneReadable } from './image-reader.js';
import { openModelDirectory } from './model-directory.js';

/** What every job on image files is given. */
export interface ImageJob {
  /** Called once the device is needed: after the input has been found. */
  readonly openDevice: () => Promise<OpenedDevice>;
  /** Where image features are kept; undefined: nowhere, and all images are encoded again. */
  readonly cacheDirectory: string | undefined;
  /** Working memory in bytes, besides the weights. */
  readonly memory: number;
  /** True: the first unreadable image is an InputError. Default: it is skipped. */
  readonly strict?: boolean | undefined;
  /** What becomes of truncated images. Default: `skip`, or as in the run that is used. */
  readonly truncated?: TruncatedImages | undefined;
  /** Called with the progress. Default: ignored. */
  readonly events?: Events | undefined;
}

/** Images to be encoded on an engine. */
export interface EncodingRequest extends Omit<ImageJob, 'openDevice'> {
  readonly engine: Engine;
  /** A CLIP stands for its joint features. */
  readonly model: ModelSource | ImageEncoder;
  /** Gives its image tower on the engine's device, if the caller keeps it loaded. */
  readonly vision?: (() => Promise<EncoderTower>) | undefined;
  /** The pooled features of a model whose joint ones are asked for: kept as well, so that they need not be computed again. */
  readonly alsoKeep?: ImageEncoder | undefined;
  /** See `EncodeRequest`. */
  readonly view?: number | undefined;
}

/** Encodes images on the engine's device. Throws as `encodeImages` does. */
export async function encodeFiles(request: EncodingRequest, paths: readonly string[]): Promise<EncodedImages> {
  const { engine, model, vision, memory, strict, truncated, view, alsoKeep, events = SILENT } = request;
  const cache = await openCache(request, encoderOf(model), events);
  const hashes = await openHashes(request);
  const pooledCache = alsoKeep && (await openCache(request, alsoKeep, events));
  using bar = events.progress(paths.length, view === undefined ? 'encoding' : `encoding view ${view}`, 'images');
  return await encodeImages({
    engine,
    model,
    vision,
    paths,
    cache,
    hashes,
    pooledCache,
    memoryBytes: memory,
    strict,
    truncated,
    view,
    onProgress: (images, cached) => (cached && bar.skip ? bar.skip(images) : bar.tick(images)),
  });
}

/** Features and scores of so many bytes are held at a time where images come block by block, and at most a quarter of the working memory. */
const BLOCK_BYTES = 64 * 2 ** 20;

/** Below this, what a block costs besides its images would count. */
const FEWEST_IN_BLOCK = 256;

/** Images of a block, if each takes so many numbers. */
export function imagesPerBlock(numbers: number, memory: number): number {
  return Math.max(FEWEST_IN_BLOCK, Math.floor(Math.min(BLOCK_BYTES, memory / 4) / (4 * numbers)));
}

/**
 * Encodes images block by block, so that memory does not grow with their number but by their names. Throws as `encodeImages` does, at the
 * end if none of all can be read.
 */
export async function* encodeInBlocks(
  request: EncodingRequest,
  paths: readonly string[],
  imagesAtOnce: number,
): AsyncGenerator<EncodedImages> {
  const { engine, vision, memory, strict, truncated, events = SILENT } = request;
  const model = encoderOf(request.model);
  const cache = await openCache(request, model, events);
  const hashes = await openHashes(request);
  using bar = events.progress(paths.length, 'encoding', 'images');
  // Of several blocks, the first one that needs the tower keeps it for the others.
  using tower = new LoadedOnce(() => model.load(engine));
  const skipped: SkippedImage[] = [];
  for (let start = 0; start < paths.length; start += imagesAtOnce) {
    const isLast = start + imagesAtOnce >= paths.length;
    const block = await encodeImages({
      ...{ engine, model, cache, hashes, strict, truncated, memoryBytes: memory, mayBeNone: true },
      vision: vision ?? (() => tower.get()),
      paths: paths.slice(start, start + imagesAtOnce),
      onProgress: (images, cached) => (cached && bar.skip ? bar.skip(images) : bar.tick(images)),
    });
    for (const image of block.skipped) skipped.push(image);
    if (isLast && skipped.length === paths.length) throw noneReadable(paths.length, skipped);
    // What the features are used for needs the device too.
    if (isLast) tower[Symbol.dispose]();
    yield block;
  }
}

/** Encodes labelled images; see `labelled`. Joint features are normalised, pooled ones are as the tower gives them. */
export async function encodeSplit(
  request: EncodingRequest,
  images: readonly LabelledPath[],
  classes: readonly ClassName[],
): Promise<EncodedSplit> {
  const paths = images.map(({ path }) => path);
  const split = labelled(await encodeFiles(request, paths), images, classes);
  const { features, width } = encoderOf(request.model);
  return features === 'joint' ? { ...split, features: normalizedFeatures(split.features, width) } : split;
}

/**
 * The same with so many random views of each image, stored like all features: with a loaded image tower (`vision`), all views of an image cost
 * what as many images cost, once.
 */
export async function encodeViews(
  request: EncodingRequest,
  images: readonly LabelledPath[],
  classes: readonly ClassName[],
  count: number,
): Promise<EncodedSplit> {
  using tower = new LoadedOnce(() => encoderOf(request.model).load(request.engine));
  const encoding = { ...request, vision: request.vision ?? (() => tower.get()) };
  const split = await encodeSplit(encoding, images, classes);
  const views: Float32Array[] = [];
  for (let view = 1; view <= count; view++) {
    const { hashes, features } = await encodeSplit({ ...encoding, view }, images, classes);
    if (hashes.join() !== split.hashes.join())
      throw new InputError('the images have changed while they were being encoded; start again');
    views.push(features);
  }
  return { ...split, views };
}

async function openCache(
  { engine, cacheDirectory }: EncodingRequest,
  { origin: config, width, hash }: ImageEncoder,
  events: Events,
): Promise<FeatureCache | undefined> {
  if (cacheDirectory === undefined) return undefined;
  const origin = { weights: await hash(), config, width, arithmetic: engine.backend.arithmetic };
  return FeatureCache.open(cacheDirectory, origin, (line) => events.say(line));
}

async function openHashes({ cacheDirectory }: EncodingRequest): Promise<FileHashes | undefined> {
  return cacheDirectory === undefined ? undefined : await FileHashes.open(cacheDirectory);
}

export interface EncodedSplit extends LabelledFeatures {
  paths: readonly string[];
  /** SHA-256 of each file, in hexadecimal. */
  hashes: readonly string[];
  skipped: readonly SkippedImage[];
  /** Those of `paths` whose files are cut short and were read so. */
  truncated: readonly string[];
}

/**
 * Gives encoded images their labels and votes back, skipped ones left out. Throws InputError if nothing
 * of a class could be read.
 */
export function labelled(
  encoded: Pick<EncodedImages, 'features' | 'paths' | 'hashes' | 'skipped' | 'truncated'>,
  images: readonly LabelledPath[],
  classes: readonly ClassName[],
): EncodedSplit {
  const { paths, hashes, skipped, truncated } = encoded;
  const imageOf = new Map(images.map((image) => [image.path, image]));
  const read = paths.map((path) => imageOf.get(path)!);
  const labels = Int32Array.from(read, ({ label }) => label);
  requireAllClasses(labels, skipped, images, classes);
  const votes = stackedDistributions(read, classes.length);
  return { features: encoded.features, labels, votes, paths, hashes, skipped, truncated };
}

/** Throws InputError if of a class that `images` has, none is among those that were read, which have the `labels`. */
export function requireAllClasses(
  labels: Iterable<number>,
  skipped: readonly SkippedImage[],
  images: readonly LabelledPath[],
  classes: readonly ClassName[],
): void {
  const present = new Set(labels);
  const reasonOf = new Map(skipped.map(({ path, reason }) => [path, reason]));
  for (const { path, label } of images) {
    if (!present.has(label)) {
      throw new InputError(
        `class "${classes[label]?.folder}": none of its images could be read; the first one: ${reasonOf.get(path)}`,
      );
    }
  }
}

/** How files are embedded. */
export interface EmbedFilesOptions extends Pick<ImageJob, 'strict' | 'truncated' | 'events'> {
  /** Where features are kept, so that an image is encoded once (see `defaultCacheDirectory`). Default: nowhere. */
  readonly cache?: string | undefined;
}

/** Features of image files. */
export interface EmbeddedFiles {
  /** [paths, width], each row of length 1. */
  readonly features: Float32Array;
  /** The readable ones of the given paths, in the given order. */
  readonly paths: readonly string[];
  /** The others, and why. */
  readonly skipped: readonly SkippedImage[];
  /** Those of `paths` whose files are cut short and were read so. */
  readonly truncated: readonly string[];
}

/** Features of labelled image files: what training and evaluation take. */
export interface EmbeddedSplit extends EmbeddedFiles {
  /** Class of each image, as its place among the data set's classes. */
  readonly labels: Int32Array;
}

/**
 * Embeds image files (JPEG, PNG) as `ClipModel.embedImages` embeds pictures; files are decoded on worker threads. Throws
 * InputError if none can be read.
 */
export async function embedFiles(
  clip: ClipModel,
  paths: readonly string[],
  options: EmbedFilesOptions = {},
): Promise<EmbeddedFiles> {
  const { features, paths: read, skipped, truncated } = await encodeFiles(encodingOf(clip, options), paths);
  return { features: normalizedFeatures(features, clip.width), paths: read, skipped, truncated };
}

/** Embeds a split of a data set (see `openDataset`) with its labels. Throws InputError if nothing of a class can be read. */
export async function embedSplit(
  clip: ClipModel,
  data: Dataset,
  split: Split,
  options: EmbedFilesOptions = {},
): Promise<EmbeddedSplit> {
  return encodeSplit(encodingOf(clip, options), imagesOf(data, split), data.classes);
}

function encodingOf(clip: ClipModel, { cache, strict, truncated, events }: EmbedFilesOptions) {
  const { engine, source: model, memory } = clip;
  const vision = () => clip.visionTower();
  return { engine, model, vision, cacheDirectory: cache, memory, strict, truncated, events };
}

/** Image files to be embedded, and where the features go. */
export interface EmbedToFileRequest extends ImageJob {
  /** Model directory of a CLIP, or, with `encoder`, whatever `openEncoder` opens. */
  readonly model: string;
  /** How it is opened as an encoder. Undefined: the joint features of a CLIP. */
  readonly encoder?: Omit<EncoderOptions, 'cacheDirectory'> | undefined;
  /** Image files, and folders of them. */
  readonly images: readonly string[];
  /** The file to write: safetensors, or `.npy` or `.npz` by its name. */
  readonly out: string;
}

/**
 * Writes the features of image files, one tensor `image_features` [images, width] as the tower gives them, into a file that
 * names the files and the model (see `writeFeatureFile`). Throws InputError if none of the images can be read.
 */
export async function embedToFile(request: EmbedToFileRequest) {
  const { out, openDevice, images, ...encoding } = request;
  await requirePlaceForFile(out);
  const paths = await listImages(images);
  await using model = request.encoder
    ? await openEncoder(request.model, { ...request.encoder, cacheDirectory: request.cacheDirectory })
    : await openModelDirectory(request.model, request.cacheDirectory);
  using device = await openDevice();
  // Needed at the end; started now, it costs no time. A failure is reported where it is awaited.
  const hash = model.hash();
  hash.catch(() => {});
  const encoder = encoderOf(model);
  const { width } = encoder;
  const found = { paths: [] as string[], skipped: [] as SkippedImage[], truncated: [] as string[] };
  let [cached, encoded] = [0, 0];
  const blocks = encodeInBlocks(
    { ...encoding, engine: new Engine(device.backend), model },
    paths,
    imagesPerBlock(width, encoding.memory),
  );
  // The file begins with the number of readable images, which is known at the end.
  await withSpool(out, async (sink, chunks) => {
    for await (const block of blocks) {
      const { features } = block;
      await sink(new Uint8Array(features.buffer, features.byteOffset, features.byteLength));
      for (const key of ['paths', 'truncated'] as const) for (const path of block[key]) found[key].push(path);
      for (const image of block.skipped) found.skipped.push(image);
      cached += block.cached;
      encoded += block.encoded;
    }
    const facts = {
      files: found.paths,
      normalized: 'false',
      model_sha256: await hash,
      ...(request.encoder && { preprocessing: describePreprocessing(encoder.preprocessing) }),
      ...(found.truncated.length > 0 && { truncated: found.truncated }),
    };
    await writeFeatureFile(out, { shape: [found.paths.length, width], chunks, facts });
  });
  const { skipped, truncated } = found;
  const shape = [found.paths.length, width] as const;
  return { shape, device: device.backend.description, cached, encoded, skipped, truncated };
}
