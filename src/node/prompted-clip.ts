/** CLIP with a run's learned tokens in its image tower: its images and texts as the encoder and the scorer of a classifier take them. */
import { clipVision } from '../clip/config.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../clip/towers/index.js';
import type { EncoderTower } from '../encoders/index.js';
import { visionBytesPerImage } from '../encoders/vision-transformer.js';
import type { ImageOptions, ImageOptionsNamed } from '../learners/images/index.js';
import {
  allTextFeatures,
  LearnedTexts,
  learnedParameters,
  mapleText,
  towerPrompts,
} from '../ptdpc/image-prompts/index.js';
import { Engine, type Tensor } from '../tensor/index.js';
import type { OpenedDevice } from './device.js';
import { sha256 } from './feature-segment.js';
import { clipEncoder, type ImageEncoder } from './image-encoder.js';
import type { ModelDirectory } from './model-directory.js';
import { keptTexts } from './text-cache.js';

/** A run's learned numbers with their model; see `decodeImagePrompts`. */
export interface PromptedClip {
  readonly model: ModelDirectory;
  readonly options: ImageOptions;
  readonly learned: readonly Float32Array[];
}

/** SHA-256 of all learned numbers. */
function hashOf({ learned }: PromptedClip): string {
  return sha256(
    learned.map(({ buffer, byteOffset, byteLength }) => sha256(new Uint8Array(buffer, byteOffset, byteLength))).join(),
  );
}

/** The image tower with its tokens. Its features are no other encoder's: caches tell them apart by the learned numbers. */
export function promptedEncoder(clip: PromptedClip): ImageEncoder {
  const { model, options, learned } = clip;
  const plain = clipEncoder(model);
  const tokens = options.learner === 'vpt' ? options.tokens : options.context;
  const prompts = hashOf(clip);
  return {
    ...plain,
    memory: { ...plain.memory, perImage: visionBytesPerImage(clipVision(model.config), tokens) },
    origin: { ...plain.origin, learner: options.learner, prompts },
    hash: async () => sha256(`${await plain.hash()} ${options.learner} ${prompts}`),
    load: (engine) => loadPrompted(engine, model, options, learned),
  };
}

async function loadPrompted(
  engine: Engine,
  model: ModelDirectory,
  options: ImageOptions,
  learned: readonly Float32Array[],
): Promise<EncoderTower> {
  const tower = await VisionTower.load(engine, model.clip, model.config);
  const parameters = learnedParameters(engine, options, model.config, learned);
  const prompts = () => towerPrompts(options, parameters);
  return {
    engine,
    pool: (pixels, values) => engine.scope(() => tower.pool(pixels, values, prompts())),
    encode: (pixels, values) => engine.scope(() => tower.encode(pixels, values, prompts())),
    [Symbol.dispose]: () => {
      for (const parameter of parameters) parameter.dispose();
      tower[Symbol.dispose]();
    },
  };
}

/** Normalised features [classes, joint] of MaPLe's texts of these words, kept in the cache. `memory` in bytes. */
export async function mapleTextFeatures(
  clip: PromptedClip & { readonly options: ImageOptionsNamed<'maple'> },
  words: readonly string[],
  { backend }: OpenedDevice,
  memory: number,
  cacheDirectory: string | undefined,
): Promise<Float32Array> {
  const { model, options, learned } = clip;
  const text = mapleText(await model.tokenizer(), options, words, model.config.text.context);
  const origin = { learner: 'maple', prompts: hashOf(clip), text };
  const request = { model, arithmetic: backend.arithmetic, cacheDirectory, classes: words.length, origin };
  return await keptTexts(request, async () => {
    const engine = new Engine(backend);
    using tower = await TextTower.load(engine, model.clip, model.config);
    const parameters: Tensor[] = learnedParameters(engine, options, model.config, learned);
    try {
      const contexts = parameters.slice(0, options.depth);
      using texts = await LearnedTexts.create(tower, new TokenEmbeddings(model.clip), text, contexts);
      return await allTextFeatures(texts, memory);
    } finally {
      for (const parameter of parameters) parameter.dispose();
    }
  });
}
