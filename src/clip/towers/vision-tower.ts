/** The image tower: a vision transformer (Dosovitskiy et al., 2021) with CLIP's layer norm before the blocks. */
import {
  type Engine,
  gatherRows,
  layerNorm,
  linear,
  patchRows,
  type RowIndex,
  rowIndex,
  type Tensor,
} from '../../tensor/index.js';
import type { CanonicalClip } from '../checkpoint/index.js';
import type { ClipConfig } from '../config.js';
import { picturePlan, type RowPlan } from './row-plan.js';
import { transform } from './transformer.js';
import { type Affine, type Transformer, WeightLoader } from './weights.js';

interface VisionWeights {
  /** The convolution's weight as a matrix [width, 3 * patch * patch]. */
  patchEmbedding: Tensor;
  /** [1 + patches, width]: position embeddings, the class token added to the first. */
  positions: Tensor;
  preNorm: Affine;
  transformer: Transformer;
  postNorm: Affine;
  /** [projectionDim, width]. */
  projection: Tensor;
}

/** What depends on the number of pictures only. */
interface BatchPlan extends Disposable {
  rows: RowPlan;
  /** Patch of each row; none for the class token's. */
  patches: RowIndex;
  /** Position of each row. */
  positions: RowIndex;
}

export class VisionTower implements Disposable {
  readonly #plans = new Map<number, BatchPlan>();

  private constructor(
    readonly config: ClipConfig,
    private readonly loader: WeightLoader,
    private readonly weights: VisionWeights,
  ) {}

  static async load(engine: Engine, checkpoint: CanonicalClip, config: ClipConfig): Promise<VisionTower> {
    const loader = new WeightLoader(engine, checkpoint);
    const { width, patchSize } = config.vision;
    const embeddings = 'vision_model.embeddings';
    const positions = await checkpoint.read(`${embeddings}.position_embedding.weight`);
    const classToken = await checkpoint.read(`${embeddings}.class_embedding`);
    classToken.forEach((value, i) => {
      positions[i]! += value;
    });
    return new VisionTower(config, loader, {
      patchEmbedding: await loader.weight(`${embeddings}.patch_embedding.weight`, [width, 3 * patchSize * patchSize]),
      positions: loader.own(positions, [positions.length / width, width]),
      preNorm: await loader.norm('vision_model.pre_layrnorm'),
      transformer: await loader.transformer('vision_model', config.vision, config),
      postNorm: await loader.norm('vision_model.post_layernorm'),
      projection: await loader.weight('visual_projection.weight'),
    });
  }

  get engine(): Engine {
    return this.loader.engine;
  }

  /**
   * pixels [batch, 3, size, size], normalised, to `pooled` [batch, width] (CLS after the last layer norm) and `features`
   * [batch, projectionDim] (projected, not normalised).
   */
  encode(pixels: Tensor): { pooled: Tensor; features: Tensor } {
    const { weights, config } = this;
    const plan = this.#plan(pixels.shape[0] ?? 0);
    return this.engine.scope(() => {
      const patches = linear(patchRows(pixels, config.vision.patchSize), weights.patchEmbedding);
      const embedded = gatherRows(patches, plan.patches, { tensor: weights.positions, index: plan.positions });
      const epsilon = config.layerNormEpsilon;
      const x = layerNorm(embedded, weights.preNorm.weight, weights.preNorm.bias, epsilon);
      const leaves = transform(weights.transformer, x, plan.rows);
      const pooled = layerNorm(leaves, weights.postNorm.weight, weights.postNorm.bias, epsilon);
      return { pooled, features: linear(pooled, weights.projection) };
    });
  }

  #plan(batch: number): BatchPlan {
    const known = this.#plans.get(batch);
    if (known) return known;
    const { engine } = this;
    const { imageSize, patchSize } = this.config.vision;
    const patches = (imageSize / patchSize) ** 2;
    const row = Array.from({ length: batch * (patches + 1) }, (_, i) => i % (patches + 1));
    const picture = (i: number) => Math.floor(i / (patches + 1));
    const rows = picturePlan(engine, batch, patches + 1);
    const owned: Tensor[] = [];
    const own = (data: readonly number[]) => {
      const tensor = engine.scope(() => engine.indices(data).share());
      owned.push(tensor);
      return tensor;
    };
    const plan: BatchPlan = {
      rows,
      patches: rowIndex(
        own,
        row.map((r, i) => (r === 0 ? -1 : picture(i) * patches + r - 1)),
        batch * patches,
      ),
      positions: rowIndex(own, row, patches + 1),
      [Symbol.dispose]: () => {
        rows[Symbol.dispose]();
        for (const tensor of owned) tensor.dispose();
      },
    };
    this.#plans.set(batch, plan);
    return plan;
  }

  [Symbol.dispose](): void {
    for (const plan of this.#plans.values()) plan[Symbol.dispose]();
    this.#plans.clear();
    this.loader[Symbol.dispose]();
  }
}
