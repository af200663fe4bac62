/** A CLIP on a device. */
import { bytesSource } from '../../clip/checkpoint/index.js';
import { clipVision } from '../../clip/config.js';
import { type DecodedImage, modelPixels } from '../../clip/image/index.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../../clip/towers/index.js';
import { encoderMemory } from '../../encoders/encoder.js';
import { VISION_TRANSFORMER } from '../../encoders/vision-transformer.js';
import { InputError } from '../../errors.js';
import type { Backend } from '../../kernels/index.js';
import { type PromptOptions, promptSetup } from '../../learners/prompts/index.js';
import { Engine } from '../../tensor/index.js';
import { span } from '../../trace.js';
import { encodePixels, encodeTexts, imagesPerBatch, textScorer } from '../encode.js';
import { normalizedFeatures } from '../features.js';
import type { LabelledFeatures } from '../labelled-features.js';
import { joined } from '../learned-numbers.js';
import { PRESETS, type TuningOptions } from '../options.js';
import { PromptModel } from '../prompt-model.js';
import { promptText } from '../prompt-text.js';
import { type AnyPromptsFile, type ClassName, decodePrompts, type PromptsFile } from '../prompts-file.js';
import { type Training, trainPrompts } from '../train.js';
import { anchorsOf, classFeatures, zeroShotTexts } from '../zero-shot.js';
import { type ModelSource, requireSameModel } from './model-source.js';
import { type Predictions, predictionsOf } from './predictions.js';
import { TunedPrompts, textOfPrompts } from './tuned-prompts.js';

/** Default working memory of a model in bytes: 1 GiB, as for `ptdpc --memory`. */
export const DEFAULT_MEMORY = 2 ** 30;

/** Options of a model. */
export interface ClipModelOptions {
  /** Bytes for activations on the device, in addition to the weights. Default: `DEFAULT_MEMORY`. Results do not depend on it. */
  readonly memory?: number | undefined;
}

/** How work on many images reports progress, and is stopped. */
export interface EmbedOptions {
  /** Stops between batches; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of images done since the last call. */
  readonly onProgress?: ((images: number) => void) | undefined;
}

/** What to tune, and on which images. */
export interface TuneRequest<Options extends PromptOptions = TuningOptions>
  extends Pick<Training, 'resume' | 'signal' | 'beforeStep' | 'onStep' | 'onEpoch'> {
  /** The classes, in the order of labels: the word of each as it appears in a text. At least two. */
  readonly classes: readonly string[];
  /** Features as `embedImages` gives them, and labels. */
  readonly train: LabelledFeatures;
  /** Held-out images, evaluated after every epoch. */
  readonly validation?: LabelledFeatures | undefined;
  /**
   * A preset, optionally changed: `tuningOptions('paper', { epochs: 5 })`; or the options of another learner of prompts:
   * `contextOptions('coop', { epochs: 50 })`. Default: the preset `paper`.
   */
  readonly options?: Options | undefined;
}

/**
 * A CLIP on a device: embeds images and texts, classifies without tuning, and tunes prompts. Each of its two towers is loaded on
 * first use. One call at a time: a device is one queue.
 *
 * ```ts
 * using device = await openDevice('auto');
 * using clip = new ClipModel(device, await openModel({ config, weights, vocabulary }));
 * const { predicted } = await clip.zeroShot(await clip.embedImages([image]), ['awe', 'fear']);
 * ```
 *
 * Disposing it frees its memory on the device; the device and the source remain the caller's.
 */
export class ClipModel implements Disposable {
  /** The device's engine, for your own computations. */
  readonly engine: Engine;
  /** Bytes for activations. */
  readonly memory: number;
  /** The table of token embeddings, read on demand. */
  readonly tokenEmbeddings: TokenEmbeddings;
  readonly #vision: LoadedOnce<VisionTower>;
  readonly #text: LoadedOnce<TextTower>;

  /** `device`: as `openDevice` gives it, or any other backend. */
  constructor(
    device: { readonly backend: Backend },
    /** The model's parts. */
    readonly source: ModelSource,
    options: ClipModelOptions = {},
  ) {
    const { clip, config } = source;
    this.engine = new Engine(device.backend);
    this.memory = options.memory ?? DEFAULT_MEMORY;
    this.tokenEmbeddings = new TokenEmbeddings(clip);
    this.#vision = new LoadedOnce(() => VisionTower.load(this.engine, clip, config));
    this.#text = new LoadedOnce(() => TextTower.load(this.engine, clip, config));
  }

  /** Length of the feature of an image or a text: the embedding dimension. */
  get width(): number {
    return this.source.config.projectionDim;
  }

  /** The image tower on the device. Belongs to this model. */
  visionTower(): Promise<VisionTower> {
    return this.#vision.get();
  }

  /** The text tower on the device. Belongs to this model. */
  textTower(): Promise<TextTower> {
    return this.#text.get();
  }

  /**
   * Features [images, width] of decoded images, each row of length 1. Images are preprocessed as the source
   * specifies, and requested one by one, so that a generator need not hold them all. Throws InputError if the memory does not
   * hold one image's activations.
   */
  async embedImages(
    images: Iterable<DecodedImage> | AsyncIterable<DecodedImage>,
    options: EmbedOptions = {},
  ): Promise<Float32Array> {
    const { signal, onProgress } = options;
    const sizes = encoderMemory(VISION_TRANSFORMER, clipVision(this.source.config));
    const most = imagesPerBatch(sizes, this.memory, this.engine.backend.memory.fixedBytes);
    const tower = await this.#vision.get();
    using _limit = this.engine.workWithin(this.memory);
    const pieces: Float32Array[] = [];
    let batch: Int32Array[] = [];
    const encode = async () => {
      signal?.throwIfAborted();
      pieces.push((await encodePixels(tower, 'joint', batch, this.source.preprocessing)).features);
      onProgress?.(batch.length);
      batch = [];
    };
    let count = 0;
    for await (const image of images) {
      batch.push(this.#pixelsOf(image, ++count));
      if (batch.length === most) await encode();
    }
    if (batch.length > 0) await encode();
    return normalizedFeatures(joined(pieces), this.width);
  }

  #pixelsOf(image: DecodedImage, number: number): Int32Array {
    using _ = span('preprocess');
    return modelPixels(image, this.source.preprocessing, `image ${number}`);
  }

  /**
   * Features [texts, width] of texts, each row of length 1. Throws InputError for a text that is longer than the model's context, and if the
   * memory does not hold one text's activations.
   */
  async embedTexts(texts: readonly string[]): Promise<Float32Array> {
    const tokenizer = await this.source.tokenizer();
    const { context } = this.source.config.text;
    const sequences = texts.map((text) => tokenizer.encodeText(text, context));
    const tower = await this.#text.get();
    const pieces: Float32Array[] = [];
    for await (const piece of encodeTexts(tower, this.tokenEmbeddings, sequences, this.memory)) pieces.push(piece);
    return normalizedFeatures(joined(pieces), this.width);
  }

  /**
   * Classifies images by their features [images, width] without tuning. The text of a class is a template with its word in place of
   * `{}`, or after it; several templates are averaged. Default: the paper's template. Throws InputError if two words have the same
   * tokens.
   */
  async zeroShot(
    features: Float32Array,
    classes: readonly string[],
    templates: string | readonly string[] = PRESETS.paper.template,
  ): Promise<Predictions> {
    requireFeatures(features, this.width);
    const { context } = this.source.config.text;
    const texts = zeroShotTexts(await this.source.tokenizer(), classes, [templates].flat(), context);
    const tower = await this.#text.get();
    const own = await classFeatures(tower, this.tokenEmbeddings, texts, this.memory);
    const logits = textScorer(this.engine, own, this.width, tower.logitScale, this.memory);
    return predictionsOf(classes, await logits(features));
  }

  /**
   * Tunes prompts, by PT-DPC unless the options say otherwise, and returns them. The same request on the same device gives the same result. `onEpoch` may keep its
   * `state`, from which `resume` continues exactly. Throws InputError if classes, labels and features do not fit together,
   * TrainingDiverged if the loss is NaN, and the signal's reason between two steps.
   */
  async tune<Options extends PromptOptions = TuningOptions>(
    request: TuneRequest<Options>,
  ): Promise<TunedPrompts<Options>> {
    const {
      classes,
      train,
      validation,
      options = PRESETS.paper as PromptOptions as Options,
      resume,
      signal,
      beforeStep,
      onStep,
    } = request;
    if (classes.length < 2)
      throw new InputError(`expected at least two classes to tell apart, found ${classes.length}`);
    for (const images of [train, ...(validation ? [validation] : [])]) requireLabels(images, classes, this.width);
    const { context } = this.source.config.text;
    const tokenizer = await this.source.tokenizer();
    const setup = promptSetup(options);
    const text = promptText(tokenizer, setup.layout, classes, context);
    const tower = await this.#text.get();
    const anchors = await anchorsOf(tower, this.tokenEmbeddings, tokenizer, classes, setup, this.memory);
    const model = await PromptModel.create(tower, this.tokenEmbeddings, text, setup.model, { anchors });
    try {
      await trainPrompts({
        ...{ model, options: setup.training, train, validation, resume, signal, beforeStep, memory: this.memory },
        ...(onStep && { onStep }),
        ...(request.onEpoch && { onEpoch: request.onEpoch }),
      });
      return new TunedPrompts(this, model, classes.map(classOf), options, setup.training.epochs);
    } catch (error) {
      model[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Restores prompts that were trained with this model: the bytes of a run's prompts.safetensors or of `TunedPrompts.save`. Throws
   * InputError if they are damaged, or were trained with another model.
   */
  async restorePrompts(file: Uint8Array, name?: string): Promise<TunedPrompts<PromptOptions>>;
  async restorePrompts<Options extends PromptOptions>(
    file: PromptsFile<Options>,
    name?: string,
  ): Promise<TunedPrompts<Options>>;
  async restorePrompts(file: Uint8Array | AnyPromptsFile, name = 'prompts.safetensors') {
    const prompts = file instanceof Uint8Array ? await decodePrompts(bytesSource(name, file)) : file;
    const { options, classes, epochs } = prompts;
    await requireSameModel(name, prompts, this.source);
    const text = await textOfPrompts(prompts, this.source);
    const tower = await this.#text.get();
    const learned = joined([prompts.prompts, ...(prompts.metaNet ?? []).map(([, , data]) => data)]);
    const model = await PromptModel.create(tower, this.tokenEmbeddings, text, promptSetup(options).model, { learned });
    return new TunedPrompts(this, model, classes, options, epochs);
  }

  /** Frees both towers. */
  [Symbol.dispose](): void {
    this.#vision[Symbol.dispose]();
    this.#text[Symbol.dispose]();
  }
}

const classOf = (word: string): ClassName => ({ folder: word, word });

function requireFeatures(features: Float32Array, width: number): void {
  if (features.length === 0 || features.length % width !== 0)
    throw new InputError(`features: expected rows of ${width} numbers, found ${features.length} numbers in all`);
}

function requireLabels({ features, labels }: LabelledFeatures, classes: readonly string[], width: number): void {
  requireFeatures(features, width);
  if (features.length !== labels.length * width)
    throw new InputError(`expected a label for each of ${features.length / width} images, found ${labels.length}`);
  const wrong = labels.find((label) => !(label >= 0 && label < classes.length));
  if (wrong !== undefined)
    throw new InputError(`label ${wrong}: expected the place of one of ${classes.length} classes, counted from 0`);
}

/** Something that is loaded on first use and lives as long as its owner. */
export class LoadedOnce<T extends Disposable> implements Disposable {
  #pending: Promise<T> | undefined;
  #value: T | undefined;
  #disposed = false;

  constructor(private readonly load: () => Promise<T>) {}

  /** The same value every time; after a failure it is loaded again. */
  get(): Promise<T> {
    if (this.#disposed) return Promise.reject(new Error('the model was used after it was disposed'));
    this.#pending ??= this.#loadNow();
    return this.#pending;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#value?.[Symbol.dispose]();
    this.#value = undefined;
  }

  async #loadNow(): Promise<T> {
    try {
      const value = await this.load();
      if (this.#disposed) {
        value[Symbol.dispose]();
        throw new Error('the model was disposed while it was loading');
      }
      this.#value = value;
      return value;
    } catch (error) {
      this.#pending = undefined;
      throw error;
    }
  }
}
