/** One step of prompt tuning on a batch whose image features are cached: forward, backward, optimiser. */
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import type { Backend } from '../../src/kernels/index.js';
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
import { Engine } from '../../src/tensor/index.js';
import { normal } from './numbers.js';
import { randomVitB32 } from './vit-b32.js';
import type { Workload } from './workload.js';

/**
 * The eight emotions of the FI data set behind the paper's template "a photo seems to express a feeling of". Ids stand for
 * the words: which ones they are does not matter for speed, how many there are does, and `contentment` and `disgust` are two.
 */
const TEXT: PromptText = {
  sot: 49_406,
  eot: 49_407,
  template: [1, 2, 3, 4, 5, 6, 7, 8],
  classes: [[11], [12], [13], [14, 15], [16, 17], [18], [19], [20]],
};

export interface TrainingStep extends Workload {
  /** Rows that the text tower computes for each image. */
  readonly rowsPerImage: number;
}

/** Preset `paper` on ViT-B/32: 8 classes, mode `both`, within `memory` bytes of activations. */
export async function trainingStepWorkload(backend: Backend, batch: number, memory = 2 ** 30): Promise<TrainingStep> {
  const engine = new Engine(backend);
  const { clip, config } = randomVitB32();
  const options = tuningOptions('paper', { batchSize: batch });
  const tower = await TextTower.load(engine, clip, config);
  const model = await PromptModel.create(tower, new TokenEmbeddings(clip), TEXT, options);
  const optimizer = createOptimizer(model, options);
  const { projectionDim } = config;
  const data: LabelledFeatures = {
    features: normalizedFeatures(normal(batch * projectionDim), projectionDim),
    labels: Int32Array.from({ length: batch }, (_, i) => i % model.classes),
  };
  return {
    rowsPerImage: treeRows(
      model.frozen,
      TEXT.classes.map((_, c) => c),
    ),
    async run() {
      await accumulateGradient(model, data, memory);
      optimizer.step(options.learningRate);
      model.prompts.zeroGrad();
    },
    [Symbol.dispose]() {
      optimizer[Symbol.dispose]();
      model[Symbol.dispose]();
      tower[Symbol.dispose]();
    },
  };
}
