/**
 * BEiT (Bao et al., 2022, "BEiT: BERT pre-training of image transformers"): a vision transformer without position embeddings. A bias of
 * relative positions is added to the scores of attention, keys have no bias, and what a block adds to its input is multiplied by a layer scale
 * (Touvron et al., 2021, CaiT), which is part of the last projections' weights here. Its feature is the mean of the patches, not the class token.
 */
import type { CanonicalClip } from '../clip/checkpoint/index.js';
import { checkPreprocessing, type Preprocessing, timmResize } from '../clip/image/index.js';
import { Latest, largestWeightBytes } from '../clip/towers/index.js';
import { afterAttention } from '../clip/towers/transformer.js';
import { type Affine, type Block, WeightLoader } from '../clip/towers/weights.js';
import {
  biasedSelfAttention,
  type Engine,
  gatherRows,
  layerNorm,
  linear,
  mean,
  patchBytes,
  patchRows,
  type RowIndex,
  rowIndex,
  type Tensor,
} from '../tensor/index.js';
import { type BeitConfig, isBeit, readBeit, SHARED_TABLE, tableOf } from './beit-checkpoint.js';
import { spreadTable } from './beit-positions.js';
import { type EncoderFamily, type EncoderTower, pixelBytes } from './encoder.js';

export type { BeitConfig };

/** BEiT-B is `width` 768, 12 layers of 12 heads, patches of 16 pixels. Base and large, of any grid, with timm's and Hugging Face's names. */
export const BEIT: EncoderFamily<BeitConfig> = {
  name: 'a BEiT',
  architecture: ({ width }) => (width === 1024 ? 'BEiT-L' : 'BEiT'),
  recognises: isBeit,
  read: readBeit,
  load: (engine, weights, config) => BeitTower.load(engine, weights, config),
  preprocessing: beitPreprocessing,
  bytesPerImage: (config) => {
    const { width, intermediate, imageSize } = config;
    // Peak of a block: the MLP's hidden layer, or queries, keys and values, with the residual and a few more rows.
    const numbersPerRow = intermediate + 8 * width;
    return 4 * (rowsOf(config) * numbersPerRow + 3 * imageSize * imageSize) + pixelBytes(imageSize);
  },
  largestWeightBytes: (config) => Math.max(largestWeightBytes(config), 4 * config.heads * rowsOf(config) ** 2),
};

/** Rows per image: the class token and the patches. */
function rowsOf({ imageSize, patchSize }: BeitConfig): number {
  return (imageSize / patchSize) ** 2 + 1;
}

/**
 * timm resizes the short side bicubically, to a crop of 0.9 at 224 pixels and of all at larger sizes; Hugging Face squashes the picture to a square
 * bilinearly. Both have mean and standard deviation 0.5. BEiT v2 (Peng et al., 2022) has the same tensors and in timm ImageNet's statistics, which only a
 * file beside the checkpoint can say.
 */
function beitPreprocessing({ imageSize: size, names }: BeitConfig): Preprocessing {
  const half = [0.5, 0.5, 0.5] as const;
  const how =
    names === 'timm'
      ? ({ resize: timmResize(size), shape: 'shortest', filter: 'bicubic' } as const)
      : ({ resize: size, shape: 'squash', filter: 'bilinear' } as const);
  return checkPreprocessing({ size, ...how, mean: half, std: half, toRgb: 'before' }, 'image size');
}

interface BeitBlock extends Block {
  /** [heads, rows, rows]. */
  bias: Tensor;
}

interface BeitWeights {
  /** The convolution's weight as a matrix [width, 3 * patch * patch]. */
  patchEmbedding: Affine;
  /** [1, width]. */
  classToken: Tensor;
  blocks: BeitBlock[];
  norm: Affine;
}

/** The index tensors for a batch size. */
interface BatchPlan extends Disposable {
  /** Patch of each row; none for class tokens. */
  patches: RowIndex;
  /** The class token's row of each row; none for patches. */
  classTokens: RowIndex;
  /** Row of each patch. */
  patchRows: RowIndex;
}

class BeitTower implements EncoderTower {
  readonly #plans = new Latest<number, BatchPlan>();

  private constructor(
    readonly config: BeitConfig,
    private readonly loader: WeightLoader,
    private readonly weights: BeitWeights,
  ) {}

  static load(engine: Engine, weights: CanonicalClip, config: BeitConfig): Promise<BeitTower> {
    return WeightLoader.run(engine, weights, async (loader) => {
      const { width, patchSize, layers, heads } = config;
      const spread = async (table: string) => {
        const biases = spreadTable(await weights.read(table), heads);
        return loader.own(biases, [heads, rowsOf(config), rowsOf(config)]);
      };
      const shared = weights.has(SHARED_TABLE) ? await spread(SHARED_TABLE) : undefined;
      const blocks: BeitBlock[] = [];
      for (let layer = 0; layer < layers; layer++) {
        const name = `vision_model.encoder.layers.${layer}`;
        blocks.push({
          norm1: await loader.norm(`${name}.layer_norm1`),
          qkv: await loader.stacked(['q', 'k', 'v'].map((part) => `${name}.self_attn.${part}_proj`)),
          bias: shared ?? (await spread(tableOf(layer))),
          attentionOut: await loader.scaledLinear(`${name}.self_attn.out_proj`, `${name}.layer_scale1`),
          norm2: await loader.norm(`${name}.layer_norm2`),
          fc1: await loader.linear(`${name}.mlp.fc1`),
          fc2: await loader.scaledLinear(`${name}.mlp.fc2`, `${name}.layer_scale2`),
        });
      }
      const patchEmbedding = 'vision_model.embeddings.patch_embedding';
      return new BeitTower(config, loader, {
        patchEmbedding: {
          weight: await loader.weight(`${patchEmbedding}.weight`, [width, 3 * patchSize * patchSize]),
          bias: await loader.tensor(`${patchEmbedding}.bias`),
        },
        classToken: await loader.tensor('vision_model.embeddings.class_embedding', [1, width]),
        blocks,
        norm: await loader.norm(`vision_model.${config.norm === 'mean' ? 'pooled_norm' : 'post_layernorm'}`),
      });
    });
  }

  get engine(): Engine {
    return this.loader.engine;
  }

  /** The mean of the patches with the last layer norm after it, or before it where the checkpoint has that: see `BeitConfig.norm`. */
  pool(pixels: Tensor, values?: Tensor): Tensor {
    const { weights, config, engine } = this;
    const batch = pixels.shape[0] ?? 0;
    const plan = this.#plans.get(batch, () => this.#makePlan(batch));
    return engine.scope(() => {
      let rows = this.#embed(pixels, values, plan);
      for (const block of weights.blocks) {
        const next = engine.scope(() => this.#block(block, rows));
        rows.dispose();
        rows = next;
      }
      const patches = gatherRows(rows, plan.patchRows);
      const ofEach = (x: Tensor) => mean(x.reshape([batch, patches.rows / batch, config.width]), 1);
      return config.norm === 'mean'
        ? this.#norm(ofEach(patches), weights.norm)
        : ofEach(this.#norm(patches, weights.norm));
    });
  }

  /** Patches, each image's class token before them: [batch * rows, width]. */
  #embed(pixels: Tensor, values: Tensor | undefined, plan: BatchPlan): Tensor {
    const { patchEmbedding, classToken } = this.weights;
    const { patchSize } = this.config;
    return this.engine.scope(() => {
      const rows = values ? patchBytes(pixels, values, patchSize) : patchRows(pixels, patchSize);
      const patches = linear(rows, patchEmbedding.weight, patchEmbedding.bias);
      return gatherRows(patches, plan.patches, { tensor: classToken, index: plan.classTokens });
    });
  }

  #block(block: BeitBlock, x: Tensor): Tensor {
    const { layerNormEpsilon } = this.config;
    const qkv = linear(this.#norm(x, block.norm1), block.qkv.weight, block.qkv.bias);
    return afterAttention({ activation: 'gelu', layerNormEpsilon }, block, biasedSelfAttention(qkv, block.bias), x);
  }

  #norm(x: Tensor, { weight, bias }: Affine): Tensor {
    return layerNorm(x, weight, bias, this.config.layerNormEpsilon);
  }

  #makePlan(batch: number): BatchPlan {
    const { engine } = this;
    const all = rowsOf(this.config);
    const patches = all - 1;
    const owned: Tensor[] = [];
    const own = (data: readonly number[]) => {
      const tensor = engine.scope(() => engine.indices(data).share());
      owned.push(tensor);
      return tensor;
    };
    const index = (count: number, source: (i: number) => number, sources: number) =>
      rowIndex(
        own,
        Array.from({ length: count }, (_, i) => source(i)),
        sources,
      );
    return {
      patches: index(
        batch * all,
        (i) => (i % all === 0 ? -1 : Math.floor(i / all) * patches + (i % all) - 1),
        batch * patches,
      ),
      classTokens: index(batch * all, (i) => (i % all === 0 ? 0 : -1), 1),
      patchRows: index(batch * patches, (i) => Math.floor(i / patches) * all + (i % patches) + 1, batch * all),
      [Symbol.dispose]: () => {
        for (const tensor of owned) tensor.dispose();
      },
    };
  }

  /** Frees the weights. */
  [Symbol.dispose](): void {
    this.#plans[Symbol.dispose]();
    this.loader[Symbol.dispose]();
  }
}
