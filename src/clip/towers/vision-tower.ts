/**
 * The image tower: a vision transformer (Dosovitskiy et al., 2021). CLIP's has a layer norm before the blocks and a projection into
 * the joint space after them; DeiT's (Touvron et al., 2021) has a bias in its patch embedding and, if distilled, a second class
 * token.
 */
import {
  type Engine,
  gatherRows,
  layerNorm,
  linear,
  patchBytes,
  patchRows,
  type RowIndex,
  rowIndex,
  affine as scaled,
  type Tensor,
} from '../../tensor/index.js';
import type { CanonicalClip } from '../checkpoint/index.js';
import { type ClipConfig, clipVision, type VisionConfig, visionRows } from '../config.js';
import { Latest } from './latest.js';
import { picturePlan, type RowPlan } from './row-plan.js';
import { insertRows, MIX_NUMBERS, type RowInsert, rowInsert, type TowerPrompts } from './tower-prompts.js';
import { largestWeightBytes, trainingNumbersPerRow, transform } from './transformer.js';
import { type Affine, type Transformer, WeightLoader } from './weights.js';

interface VisionWeights {
  /** The convolution's weight as a matrix [width, 3 * patch * patch]. */
  patchEmbedding: Tensor;
  patchBias: Tensor | undefined;
  /** [rows, width]: position embeddings, with the class tokens added to the first ones. */
  positions: Tensor;
  preNorm: Affine | undefined;
  transformer: Transformer;
  postNorm: Affine;
  /** [projectionDim, width]. */
  projection: Tensor | undefined;
}

/** The index tensors for a batch size. */
interface BatchPlan extends Disposable {
  /** Where learned rows stand; undefined without any. */
  inserted: RowInsert | undefined;
  rows: RowPlan;
  /** Patch of each row; none for class tokens. */
  patches: RowIndex;
  /** Position of each row. */
  positions: RowIndex;
  /** Leaf rows of each image's first and second class token; undefined if there is only one. */
  pairs: readonly [RowIndex, RowIndex] | undefined;
}

/** The image tower on a device. */
export class VisionTower implements Disposable {
  readonly #plans = new Latest<number, BatchPlan>();
  /** With learned rows: the one in use, since training counts the memory of no other. */
  readonly #promptedPlans = new Latest<string, BatchPlan>(1);

  private constructor(
    readonly config: VisionConfig,
    private readonly loader: WeightLoader,
    private readonly weights: VisionWeights,
  ) {}

  /** Loads the image tower of a CLIP. */
  static load(engine: Engine, checkpoint: CanonicalClip, config: ClipConfig): Promise<VisionTower> {
    return VisionTower.loadVision(engine, checkpoint, clipVision(config));
  }

  /** Loads any vision transformer with canonical names (see `readVit`). */
  static loadVision(engine: Engine, checkpoint: CanonicalClip, config: VisionConfig): Promise<VisionTower> {
    return WeightLoader.run(engine, checkpoint, (loader) => VisionTower.#load(loader, checkpoint, config));
  }

  static async #load(loader: WeightLoader, checkpoint: CanonicalClip, config: VisionConfig): Promise<VisionTower> {
    const { width, patchSize, kind, classTokens } = config;
    const embeddings = 'vision_model.embeddings';
    const positions = await checkpoint.read(`${embeddings}.position_embedding.weight`);
    const tokens = ['class', 'distillation'].slice(0, classTokens);
    for (const [row, token] of tokens.entries()) {
      (await checkpoint.read(`${embeddings}.${token}_embedding`)).forEach((value, i) => {
        positions[row * width + i]! += value;
      });
    }
    const isClip = kind === 'clip';
    return new VisionTower(config, loader, {
      patchEmbedding: await loader.weight(`${embeddings}.patch_embedding.weight`, [width, 3 * patchSize * patchSize]),
      patchBias: isClip ? undefined : await loader.tensor(`${embeddings}.patch_embedding.bias`),
      positions: loader.own(positions, [positions.length / width, width]),
      preNorm: isClip ? await loader.norm('vision_model.pre_layrnorm') : undefined,
      transformer: await loader.transformer('vision_model', config, config),
      postNorm: await loader.norm('vision_model.post_layernorm'),
      projection: isClip ? await loader.weight('visual_projection.weight') : undefined,
    });
  }

  get engine(): Engine {
    return this.loader.engine;
  }

  /**
   * Normalised pixels [batch, 3, size, size] to [batch, width]: the class token after the last layer norm. If there are two, their
   * mean, as in timm's distilled models before the classifiers (`forward_head(pre_logits=True)`). With `values` [3, 256], the pixels are
   * whole numbers [batch, size, size] from `modelPixels`, whose bytes stand for these. `prompts` are rows among those of each image.
   */
  pool(pixels: Tensor, values?: Tensor, prompts?: TowerPrompts): Tensor {
    const { weights } = this;
    const plan = this.#plan(pixels.shape[0] ?? 0, prompts);
    return this.engine.scope(() => {
      const input = (block: number, rows: Tensor) => {
        const layer = block === 0 ? undefined : prompts?.layers[block];
        return layer && plan.inserted ? insertRows(rows, plan.inserted.again, layer) : rows;
      };
      const embedded = this.#embed(pixels, values, plan, prompts);
      const leaves = this.#norm(transform(weights.transformer, embedded, plan.rows, input), weights.postNorm);
      if (!plan.pairs) return leaves;
      const [first, second] = plan.pairs;
      return scaled(gatherRows(leaves, first, { tensor: leaves, index: second }), 0.5);
    });
  }

  /** `pool`, and `features` of shape [batch, projectionDim]: projected into the joint space, not normalised. CLIP only. */
  encode(pixels: Tensor, values?: Tensor, prompts?: TowerPrompts): { pooled: Tensor; features: Tensor } {
    const { projection } = this.weights;
    if (!projection) throw new Error('this vision transformer has no joint space');
    return this.engine.scope(() => {
      const pooled = this.pool(pixels, values, prompts);
      return { pooled, features: linear(pooled, projection) };
    });
  }

  /**
   * The given rows [rows.length, width] of the last hidden state, i.e. of the last block's output before the final layer norm, for
   * one image [1, 3, size, size]. Row 0 is CLS.
   */
  lastHidden(pixels: Tensor, rows: readonly number[]): Tensor {
    using plan = picturePlan(this.engine, 1, visionRows(this.config), rows);
    return this.engine.scope(() =>
      transform(this.weights.transformer, this.#embed(pixels, undefined, this.#plan(1)), plan),
    );
  }

  /** Bytes of the largest weight in single precision, of which a device may need a reordered copy. */
  get largestWeightBytes(): number {
    return largestWeightBytes(this.config);
  }

  /** Bytes of an image's rows in a training pass, forward and backward, with so many learned rows. */
  trainingBytesPerImage(prompts: number): number {
    const { width, imageSize } = this.config;
    // Also: the input of a block whose learned rows are new, beside the rows that it was made from; and where rows come from, twice.
    const numbersPerRow = trainingNumbersPerRow(this.weights.transformer) + 2 * width + MIX_NUMBERS;
    return 4 * ((visionRows(this.config) + prompts) * numbersPerRow + 3 * imageSize * imageSize);
  }

  /** The first block's input: patches and class tokens with their positions, and learned rows, [batch * rows, width]. */
  #embed(pixels: Tensor, values: Tensor | undefined, plan: BatchPlan, prompts?: TowerPrompts): Tensor {
    const { patchEmbedding, patchBias, positions, preNorm } = this.weights;
    const { patchSize } = this.config;
    return this.engine.scope(() => {
      const rows = values ? patchBytes(pixels, values, patchSize) : patchRows(pixels, patchSize);
      const patches = linear(rows, patchEmbedding, patchBias);
      const own = gatherRows(patches, plan.patches, { tensor: positions, index: plan.positions });
      const [first] = prompts?.layers ?? [];
      const embedded = first && plan.inserted ? insertRows(own, plan.inserted.first, first) : own;
      return preNorm ? this.#norm(embedded, preNorm) : embedded;
    });
  }

  #norm(x: Tensor, { weight, bias }: Affine): Tensor {
    return layerNorm(x, weight, bias, this.config.layerNormEpsilon);
  }

  #plan(batch: number, prompts?: TowerPrompts): BatchPlan {
    if (!prompts) return this.#plans.get(batch, () => this.#makePlan(batch));
    const key = `${batch} ${prompts.layers[0]?.rows} ${prompts.place}`;
    return this.#promptedPlans.get(key, () => this.#makePlan(batch, prompts));
  }

  #makePlan(batch: number, prompts?: TowerPrompts): BatchPlan {
    const { engine } = this;
    const { classTokens } = this.config;
    const all = visionRows(this.config);
    const patches = all - classTokens;
    const row = Array.from({ length: batch * all }, (_, i) => i % all);
    const picture = (i: number) => Math.floor(i / all);
    const read = Array.from({ length: classTokens }, (_, i) => i);
    const learned = prompts?.layers[0]?.rows ?? 0;
    const rows = picturePlan(engine, batch, all + learned, read);
    const owned: Tensor[] = [];
    const own = (data: readonly number[]) => {
      const tensor = engine.scope(() => engine.indices(data).share());
      owned.push(tensor);
      return tensor;
    };
    const every = (offset: number) =>
      rowIndex(
        own,
        Array.from({ length: batch }, (_, i) => i * classTokens + offset),
        batch * classTokens,
      );
    const at = prompts?.place === 'after class' ? classTokens : all;
    return {
      rows,
      inserted: prompts && rowInsert(own, { sequences: batch, rows: all, at, learned }),
      patches: rowIndex(
        own,
        row.map((r, i) => (r < classTokens ? -1 : picture(i) * patches + r - classTokens)),
        batch * patches,
      ),
      positions: rowIndex(own, row, all),
      pairs: classTokens === 1 ? undefined : [every(0), every(1)],
      [Symbol.dispose]: () => {
        rows[Symbol.dispose]();
        for (const tensor of owned) tensor.dispose();
      },
    };
  }

  /** Frees the weights. */
  [Symbol.dispose](): void {
    this.#plans[Symbol.dispose]();
    this.#promptedPlans[Symbol.dispose]();
    this.loader[Symbol.dispose]();
  }
}
