/**
 * A job on a device that computes nothing: which kernels encoding and training call, with which sizes. The laboratory lists them, and a GPU
 * compiles their programs before the job begins.
 */
import type { CanonicalClip } from '../clip/checkpoint/index.js';
import { type ClipConfig, clipTensors, madeClip } from '../clip/config.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../clip/towers/index.js';
import { type AnyArgs, areHalves, type Backend, type Kernel, WebGpuBackend } from '../kernels/index.js';
import { SizeBackend } from '../kernels/size-backend.js';
import { type PromptOptions, promptSetup } from '../learners/prompts/index.js';
import { Engine } from '../tensor/index.js';
import { tuningOptions } from './options.js';
import { PromptModel } from './prompt-model.js';
import type { PromptText } from './prompt-text.js';
import { accumulateGradient } from './step.js';
import { createOptimizer } from './train.js';
import { learningRateAt } from './training-options.js';

/** Encoding pictures, or tuning prompts. */
export type Job = 'embed' | 'train';

const PICTURES = 32;
const IMAGES = 64;
/** The default of `--memory`. */
const MEMORY = 2 ** 30;

/** Template and class words of the paper as ids: which they are does not matter here, how many there are does. */
const TEXT: PromptText = {
  sot: 49_406,
  eot: 49_407,
  template: [1, 2, 3, 4, 5, 6, 7, 8],
  classes: [[11], [12], [13], [14, 15], [16, 17], [18], [19], [20]],
};

/** How a job is run: with which options, and with weights that are halves, as OpenAI's are, or not. */
export interface DryRunOptions {
  readonly options?: PromptOptions | undefined;
  readonly halves?: boolean | undefined;
  /** Template and classes. Default: those of the paper. */
  readonly text?: PromptText | undefined;
}

/** Runs a job on a CLIP of this configuration; `onRun` is called with each kernel call. */
export async function dryRun(
  job: Job,
  config: ClipConfig,
  onRun: (kernel: Kernel, args: AnyArgs) => void,
  { options = tuningOptions('paper', { batchSize: IMAGES }), halves = true, text }: DryRunOptions = {},
): Promise<void> {
  const engine = new Engine(new SizeBackend(onRun));
  // 0.1 is no half.
  const value = halves ? 0 : 0.1;
  const clip = madeClip(config, 'constant weights', ({ length }) => new Float32Array(length).fill(value));
  if (job === 'embed') await encode(engine, clip, config);
  else await step(engine, clip, config, options, text);
}

/** Blocks of a tower that differ: those before the last one run the same programs. */
const BLOCKS = 2;

/**
 * Compiles the programs of a job together and beside what the host does meanwhile, rather than one after the other as they are first used.
 * Resolves when they are ready; never rejects. At once on a CPU, and on a software adapter, which would take the cores that the host needs
 * (docs/profiling.md).
 */
export async function prepareDevice(
  backend: Backend,
  job: Job,
  clip: CanonicalClip,
  config: ClipConfig,
  given: Pick<DryRunOptions, 'options' | 'text'> = {},
): Promise<void> {
  if (!(backend instanceof WebGpuBackend) || backend.adapter.software) return;
  try {
    await backend.prepare(await callsOf(job, clip, config, given));
  } catch {
    // Whatever fails here fails again in the job itself, which reports it.
  }
}

/** The kernel calls of a job on this model, of its first and last blocks only, since those between run the same programs. */
export async function callsOf(
  job: Job,
  clip: CanonicalClip,
  config: ClipConfig,
  given: Pick<DryRunOptions, 'options' | 'text'> = {},
): Promise<[Kernel, AnyArgs][]> {
  const { text, vision } = config;
  const short: ClipConfig = {
    ...config,
    text: { ...text, layers: Math.min(BLOCKS, text.layers) },
    vision: { ...vision, layers: Math.min(BLOCKS, vision.layers) },
  };
  const sample = clipTensors(short).find(
    ({ shape, name }) => shape.length === 2 && /proj/.test(name) && clip.has(name),
  );
  const halves = sample !== undefined && areHalves(await clip.read(sample.name));
  const calls: [Kernel, AnyArgs][] = [];
  await dryRun(job, short, (kernel, args) => calls.push([kernel, args]), { ...given, halves });
  return calls;
}

async function encode(engine: Engine, clip: CanonicalClip, config: ClipConfig): Promise<void> {
  using tower = await VisionTower.load(engine, clip, config);
  const { imageSize } = config.vision;
  const shape = [PICTURES, imageSize, imageSize];
  using _features = engine.scope(() => {
    const pixels = engine.indices(new Int32Array(PICTURES * imageSize * imageSize), shape);
    return tower.encode(pixels, engine.zeros([3, 256])).features;
  });
}

async function step(
  engine: Engine,
  clip: CanonicalClip,
  config: ClipConfig,
  options: PromptOptions,
  text = TEXT,
): Promise<void> {
  const { model: how, training } = promptSetup(options);
  const { batchSize } = training;
  using tower = await TextTower.load(engine, clip, config);
  const anchors = how.guide && new Float32Array(text.classes.length * config.projectionDim);
  using model = await PromptModel.create(tower, new TokenEmbeddings(clip), text, how, { anchors });
  using optimizer = createOptimizer(model, training);
  const features = new Float32Array(batchSize * config.projectionDim);
  const labels = Int32Array.from({ length: batchSize }, (_, i) => i % text.classes.length);
  const { length: classes } = text.classes;
  const votes = how.loss === 'kl' ? new Float32Array(batchSize * classes).fill(1 / classes) : undefined;
  await accumulateGradient(model, { features, labels, votes }, MEMORY);
  optimizer.step(learningRateAt(training, 0));
}
