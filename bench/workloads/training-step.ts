/** One step of prompt tuning on a batch whose image features are cached: forward, backward, optimiser. */
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import type { Backend } from '../../src/kernels/index.js';
import { contextOptions, promptSetup } from '../../src/learners/prompts/index.js';
import { treeRows } from '../../src/ptdpc/forest.js';
import {
  accumulateGradient,
  createOptimizer,
  type LabelledFeatures,
  normalizedFeatures,
  PromptModel,
  type PromptText,
  tuningOptions,
} from '../../src/ptdpc/index.js';
import { Engine, type Tensor } from '../../src/tensor/index.js';
import { normal } from './numbers.js';
import { randomVitB32 } from './vit-b32.js';
import type { Workload } from './workload.js';

/**
 * The eight emotions of the FI data set behind the paper's template "a photo seems to express a feeling of". Ids stand for
 * the words: which ones they are does not matter for speed, how many there are does, and `contentment` and `disgust` are two.
 */
export const TEXT: PromptText = {
  sot: 49_406,
  eot: 49_407,
  template: [1, 2, 3, 4, 5, 6, 7, 8],
  classes: [[11], [12], [13], [14, 15], [16, 17], [18], [19], [20]],
};

/** The default of `--memory`. */
const MEMORY = 2 ** 30;

export interface StepSizes {
  readonly batch: number;
  readonly classes: number;
  /** Learned tokens of each prompt. */
  readonly templateLength: number;
  /** CoCoOp in place of PT-DPC. */
  readonly cocoop?: boolean;
}

export interface TrainingStep extends Workload {
  /** Rows that the text tower computes for each image. */
  readonly rowsPerImage: number;
  /** What is learned. */
  readonly prompts: Tensor;
}

/** Preset `paper` on ViT-B/32 in mode `both`, or CoCoOp, in the default `--memory`. */
export async function trainingStepWorkload(backend: Backend, sizes: StepSizes): Promise<TrainingStep> {
  const { batch } = sizes;
  const text = textOf(sizes);
  const engine = new Engine(backend);
  const { clip, config } = randomVitB32();
  const { model: how, training } = promptSetup(
    sizes.cocoop ? contextOptions('cocoop', { batchSize: batch }) : tuningOptions('paper', { batchSize: batch }),
  );
  const tower = await TextTower.load(engine, clip, config);
  const model = await PromptModel.create(tower, new TokenEmbeddings(clip), text, how);
  const optimizer = createOptimizer(model, training);
  const { projectionDim } = config;
  const data: LabelledFeatures = {
    features: normalizedFeatures(normal(batch * projectionDim), projectionDim),
    labels: Int32Array.from({ length: batch }, (_, i) => i % model.classes),
  };
  return {
    prompts: model.prompts,
    rowsPerImage: treeRows(
      model.frozen,
      text.classes.map((_, c) => c),
    ),
    async run() {
      await accumulateGradient(model, data, MEMORY);
      optimizer.step(training.learningRate);
      model.zeroGrad();
    },
    [Symbol.dispose]() {
      optimizer[Symbol.dispose]();
      model[Symbol.dispose]();
      tower[Symbol.dispose]();
    },
  };
}

/** The usual text for the usual sizes, else as many words; every fourth class has two. */
function textOf({ classes, templateLength }: StepSizes): PromptText {
  const template = Array.from({ length: templateLength }, (_, i) => 1 + i);
  if (classes === TEXT.classes.length) return { ...TEXT, template };
  const words = Array.from({ length: classes }, (_, c) => (c % 4 === 3 ? [100 + c, 99] : [100 + c]));
  return { ...TEXT, template, classes: words };
}
