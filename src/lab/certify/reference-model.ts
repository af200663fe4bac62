/**
 * Whole work on small models that are the same everywhere: pictures through the image tower, and steps of prompt tuning. Their numbers are made
 * from integers, exactly, since engines differ in the last bit of a sine or a logarithm, and fit into half precision, as published weights do.
 */
import { type ClipConfig, madeClip, type WantedNumbers } from '../../clip/config.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../../clip/towers/index.js';
import type { Backend } from '../../kernels/index.js';
import { normalizedFeatures } from '../../ptdpc/features.js';
import { tuningOptions } from '../../ptdpc/options.js';
import { PromptModel } from '../../ptdpc/prompt-model.js';
import type { PromptText } from '../../ptdpc/prompt-text.js';
import { accumulateGradient } from '../../ptdpc/step.js';
import { createOptimizer } from '../../ptdpc/train.js';
import { Engine } from '../../tensor/index.js';

/** Two blocks and few rows; or ViT-B/32's widths, heads and image, with two blocks and few words. */
export type ReferenceModel = 'narrow' | 'wide';

const SHARED = { activation: 'quick_gelu', layerNormEpsilon: 1e-5 } as const;
const WORDS = { layers: 2, context: 24, vocabularySize: 64 };

export const REFERENCE_CONFIGS: Readonly<Record<ReferenceModel, ClipConfig>> = {
  narrow: {
    ...SHARED,
    projectionDim: 128,
    text: { ...WORDS, width: 128, heads: 2, intermediate: 512 },
    vision: { width: 192, layers: 2, heads: 3, intermediate: 768, imageSize: 32, patchSize: 8 },
  },
  wide: {
    ...SHARED,
    projectionDim: 512,
    text: { ...WORDS, width: 512, heads: 8, intermediate: 2048 },
    vision: { width: 768, layers: 2, heads: 12, intermediate: 3072, imageSize: 224, patchSize: 32 },
  },
};

/** What each output is, for people. */
export const REFERENCE_OUTPUTS = {
  features: 'image features [images, joint width]',
  losses: 'loss of each training step',
  logits: 'logits of the first step [images, classes]',
  gradient: "the first step's gradient [prompts, tokens, width]",
  change: 'what the steps changed of the prompts [prompts, tokens, width]',
} as const;

/** Names of the outputs. */
export type ReferenceOutput = keyof typeof REFERENCE_OUTPUTS;

const IMAGES = 2;
const BATCH = 6;
const STEPS = 2;
/** The work is far smaller. */
const MEMORY = 2 ** 30;
const TEXT: PromptText = { sot: 62, eot: 63, template: [1, 2, 3, 4, 5], classes: [[11], [12, 13], [14]] };

/** Everything that the work on a model gives. */
export async function runReferenceModel(
  backend: Backend,
  which: ReferenceModel,
): Promise<Record<ReferenceOutput, Float32Array>> {
  const config = REFERENCE_CONFIGS[which];
  const clip = madeClip(config, `reference model (${which})`, weights);
  const engine = new Engine(backend);
  const features = await encoded(engine, config, clip);
  return { features, ...(await tuned(engine, config, clip)) };
}

type Clip = ReturnType<typeof madeClip>;

async function encoded(engine: Engine, config: ClipConfig, clip: Clip): Promise<Float32Array> {
  using tower = await VisionTower.load(engine, clip, config);
  const { imageSize } = config.vision;
  const shape = [IMAGES, 3, imageSize, imageSize];
  const pixels = exactNumbers('pixels', 0, IMAGES * 3 * imageSize ** 2, 2);
  using features = engine.scope(() => tower.encode(engine.tensor(pixels, shape)).features);
  return await features.read();
}

async function tuned(
  engine: Engine,
  config: ClipConfig,
  clip: Clip,
): Promise<Omit<Record<ReferenceOutput, Float32Array>, 'features'>> {
  const options = tuningOptions('paper', { batchSize: BATCH });
  const { width } = config.text;
  const count = TEXT.classes.length;
  const start = exactNumbers('prompts', 0, count * TEXT.template.length * width, 1 / 16);
  using tower = await TextTower.load(engine, clip, config);
  using model = await PromptModel.create(tower, new TokenEmbeddings(clip), TEXT, options, { learned: start });
  using optimizer = createOptimizer(model, options);
  const data = {
    features: normalizedFeatures(exactNumbers('features', 0, BATCH * config.projectionDim, 1), config.projectionDim),
    labels: Int32Array.from({ length: BATCH }, (_, i) => i % count),
  };
  const losses = new Float32Array(STEPS);
  let logits = new Float32Array();
  let gradient = new Float32Array();
  for (let step = 0; step < STEPS; step++) {
    const result = await accumulateGradient(model, data, MEMORY);
    losses[step] = result.loss;
    if (step === 0) {
      logits = Float32Array.from(result.logits);
      gradient = Float32Array.from(await model.prompts.grad!.read());
    }
    optimizer.step(LEARNING_RATE);
    model.prompts.zeroGrad();
  }
  const change = (await model.prompts.read()).map((value, i) => value - start[i]!);
  return { losses, logits, gradient, change };
}

/** So large that what changes is not lost in the prompts' own rounding. */
const LEARNING_RATE = 1;

/** Norms near 1, biases near 0, and matrices that keep activations near unit variance. */
function weights({ name, shape, start, length }: WantedNumbers): Float32Array {
  if (name === 'logit_scale') return new Float32Array([2.5]);
  const shift = /norm\d?\.weight$/.test(name) ? 1 : 0;
  if (shape.length === 1) return exactNumbers(name, start, length, 1 / 16, shift);
  if (name.includes('embedding') && !name.includes('patch')) return exactNumbers(name, start, length, 1 / 4);
  // Uniform in [-a, a] has the variance a^2 / 3; powers of two stay exact.
  const columns = shape.slice(1).reduce((size, axis) => size * axis, 1);
  return exactNumbers(name, start, length, 2 ** Math.round(Math.log2(Math.sqrt(3 / columns))));
}

/** Multiples of `most` / 512 from -`most` on, as a hash of the name and the place says, and `shift` added. */
function exactNumbers(name: string, start: number, length: number, most: number, shift = 0): Float32Array {
  let seed = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) seed = Math.imul(seed ^ name.charCodeAt(i), 0x01000193);
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    let hash = Math.imul(seed ^ (start + i), 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash ^= hash >>> 13;
    values[i] = shift + (((hash >>> 8) & 1023) - 512) * (most / 512);
  }
  return values;
}
