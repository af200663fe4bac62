/**
 * Which shapes the kernels really see: one batch of pictures through ViT-B/32, and one step of prompt tuning, both recorded on a
 * device that computes nothing.
 */
import { type CanonicalClip, type Checkpoint, canonicalClip } from '../clip/checkpoint/index.js';
import { type ClipConfig, clipTensors } from '../clip/config.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../clip/towers/index.js';
import { sizeNames, sizesText } from '../kernels/cases.js';
import { type AnyArgs, type Kernel, type KernelCost, kernelCost } from '../kernels/index.js';
import { accumulateGradient, createOptimizer, PromptModel, type PromptText, tuningOptions } from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { SizeBackend } from './size-backend.js';

/** Calls of one kernel with the same sizes and options. */
export interface RecordedShape {
  readonly kernel: string;
  /** As `--shape` takes it if the laboratory can make the same; for attention: a summary. */
  readonly shape: string;
  readonly calls: number;
  /** Of one call. */
  readonly cost: KernelCost;
}

/** What is recorded: encoding pictures, or tuning prompts. */
export type Job = 'embed' | 'train';

/** What each job is, for people. */
export const JOBS: Readonly<Record<Job, string>> = {
  embed: 'a batch of 32 images through ViT-B/32',
  train: 'a step of prompt tuning: ViT-B/32, preset paper, 64 images, eight classes',
};

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

/** Records a job on a CLIP of this configuration, whose weights are halves as OpenAI's are. Takes about a second. */
export async function recordJob(job: Job, config: ClipConfig): Promise<RecordedShape[]> {
  const calls: { kernel: string; shape: string; cost: KernelCost }[] = [];
  const engine = new Engine(
    new SizeBackend((kernel, args) => {
      calls.push({ kernel: kernel.name, shape: shapeOf(kernel, args), cost: kernelCost(kernel, args) });
    }),
  );
  const clip = canonicalClip(zeros(config));
  if (job === 'embed') await encode(engine, clip, config);
  else await step(engine, clip, config);
  const shapes = new Map<string, RecordedShape>();
  for (const call of calls) {
    const key = `${call.kernel} ${call.shape}`;
    shapes.set(key, { ...call, calls: (shapes.get(key)?.calls ?? 0) + 1 });
  }
  return [...shapes.values()];
}

async function encode(engine: Engine, clip: CanonicalClip, config: ClipConfig): Promise<void> {
  using tower = await VisionTower.load(engine, clip, config);
  const { imageSize } = config.vision;
  const pixels = new Float32Array(PICTURES * 3 * imageSize * imageSize);
  using _features = engine.scope(
    () => tower.encode(engine.tensor(pixels, [PICTURES, 3, imageSize, imageSize])).features,
  );
}

async function step(engine: Engine, clip: CanonicalClip, config: ClipConfig): Promise<void> {
  const options = tuningOptions('paper', { batchSize: IMAGES });
  using tower = await TextTower.load(engine, clip, config);
  using model = await PromptModel.create(tower, new TokenEmbeddings(clip), TEXT, options);
  using optimizer = createOptimizer(model, options);
  const features = new Float32Array(IMAGES * config.projectionDim);
  const labels = Int32Array.from({ length: IMAGES }, (_, i) => i % TEXT.classes.length);
  await accumulateGradient(model, { features, labels }, MEMORY);
  optimizer.step(options.learningRate);
}

/** A call's sizes and options by the laboratory's names; all its numbers, where its cases are made from others. */
function shapeOf(kernel: Kernel, args: AnyArgs): string {
  const { extents, options } = sizeNames(kernel);
  if (!Object.keys(extents).every((name) => name in args)) {
    const numbers = Object.entries(args).filter(
      ([name, value]) => typeof value === 'number' && !/Stride|Offset/.test(name),
    );
    return sizesText(Object.fromEntries(numbers) as Record<string, number>);
  }
  const sizes = Object.keys({ ...extents, ...options }).map((name) => [name, sizeOf(name, kernel, args)]);
  return sizesText(Object.fromEntries(sizes), options);
}

/** One size or option of a call. */
function sizeOf(name: string, { operands }: Kernel, args: AnyArgs): number {
  const value = args[name];
  if (name === 'half') {
    const weights = Object.keys(operands).find((operand) => operands[operand]!.type === 'weights')!;
    return Number((args[weights] as { dtype: string }).dtype === 'f16');
  }
  // A number, a flag, or an operand that may be given.
  return typeof value === 'number' ? value : Number(Boolean(value));
}

/** A checkpoint of nothing but zeros, made as they are read. */
function zeros(config: ClipConfig): Checkpoint {
  const shapes = new Map(clipTensors(config).map(({ name, shape }) => [name, shape]));
  const shapeOfTensor = (name: string): readonly number[] => {
    const shape = shapes.get(name);
    if (!shape) throw new Error(`no tensor ${name} in a CLIP`);
    return shape;
  };
  return {
    name: 'zeros',
    format: 'safetensors',
    metadata: new Map(),
    names: () => [...shapes.keys()],
    has: (name) => shapes.has(name),
    shape: shapeOfTensor,
    dtype: () => 'F32',
    read: async (name, rows) => {
      const [first = 1, ...rest] = shapeOfTensor(name);
      return new Float32Array((rows?.count ?? first) * rest.reduce((size, axis) => size * axis, 1));
    },
  };
}
