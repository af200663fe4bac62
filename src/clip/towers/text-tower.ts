/** The text tower: a causal transformer (Radford et al., 2019) read at the end-of-text token. */
import { type Engine, layerNorm, linear, type Tensor } from '../../tensor/index.js';
import type { CanonicalClip } from '../checkpoint/index.js';
import type { ClipConfig } from '../config.js';
import { type RowPlan, treePlan } from './row-plan.js';
import {
  type BlockInput,
  inferenceNumbersPerRow,
  largestWeightBytes,
  trainingNumbersPerRow,
  transform,
} from './transformer.js';
import { type Affine, type Transformer, WeightLoader } from './weights.js';

/** The text tower of a CLIP on a device. */
export class TextTower implements Disposable {
  private constructor(
    readonly config: ClipConfig,
    private readonly loader: WeightLoader,
    private readonly transformer: Transformer,
    private readonly finalNorm: Affine,
    /** [projectionDim, width]. */
    private readonly projection: Tensor,
    /** See `readLogitScale`. */
    readonly logitScale: number,
    /** [context, width], on the host, where the rows are assembled. */
    private readonly positions: Float32Array,
  ) {}

  /** Loads the weights onto the device. */
  static load(engine: Engine, checkpoint: CanonicalClip, config: ClipConfig): Promise<TextTower> {
    return WeightLoader.run(engine, checkpoint, (loader) => TextTower.#load(loader, checkpoint, config));
  }

  static async #load(loader: WeightLoader, checkpoint: CanonicalClip, config: ClipConfig): Promise<TextTower> {
    return new TextTower(
      config,
      loader,
      await loader.transformer('text_model', config.text, config),
      await loader.norm('text_model.final_layer_norm'),
      await loader.weight('text_projection.weight'),
      await readLogitScale(checkpoint),
      await checkpoint.read('text_model.embeddings.position_embedding.weight'),
    );
  }

  get engine(): Engine {
    return this.loader.engine;
  }

  /** The embedding of one position, [width]. */
  position(at: number): Float32Array {
    const { width } = this.config.text;
    return this.positions.subarray(at * width, (at + 1) * width);
  }

  /** Bytes per row of a training pass, forward and backward. */
  get trainingBytesPerRow(): number {
    return 4 * trainingNumbersPerRow(this.transformer);
  }

  /** Bytes per row of a forward pass alone. */
  get inferenceBytesPerRow(): number {
    return 4 * inferenceNumbersPerRow(this.transformer);
  }

  /** Bytes of the largest weight in single precision, of which a device may need a reordered copy. */
  get largestWeightBytes(): number {
    return largestWeightBytes(this.config.text);
  }

  /**
   * Encodes rows [plan.rows, width], the sums of token and position embeddings, to features [leaves, projectionDim], not normalised. `input`: see
   * `transform`.
   */
  encodeRows(rows: Tensor, plan: RowPlan, input?: BlockInput): Tensor {
    return this.engine.scope(() => linear(this.#hidden(rows, plan, input), this.projection));
  }

  /** Leaves [leaves, width] after the last layer norm. */
  #hidden(rows: Tensor, plan: RowPlan, input?: BlockInput): Tensor {
    const leaves = transform(this.transformer, rows, plan, input);
    return layerNorm(leaves, this.finalNorm.weight, this.finalNorm.bias, this.config.layerNormEpsilon);
  }

  /**
   * Features [texts, projectionDim] of token sequences, each from SOT to EOT. No padding is needed: attention is causal, so
   * tokens after EOT have no effect.
   */
  async encodeTokens(sequences: readonly (readonly number[])[], embeddings: TokenEmbeddings): Promise<Tensor> {
    return this.#encode(sequences, embeddings, (rows, plan) => this.encodeRows(rows, plan));
  }

  /**
   * The last row of each sequence after the last layer norm, [sequences, width], not projected. Because attention is causal,
   * row r of a published last hidden state is that of the sequence's first r + 1 tokens.
   */
  async lastHidden(sequences: readonly (readonly number[])[], embeddings: TokenEmbeddings): Promise<Tensor> {
    return this.#encode(sequences, embeddings, (rows, plan) => this.#hidden(rows, plan));
  }

  async #encode(
    sequences: readonly (readonly number[])[],
    embeddings: TokenEmbeddings,
    encode: (rows: Tensor, plan: RowPlan) => Tensor,
  ): Promise<Tensor> {
    const { width } = this.config.text;
    const data = new Float32Array(sequences.reduce((sum, ids) => sum + ids.length, 0) * width);
    let row = 0;
    for (const ids of sequences) {
      for (const [at, id] of ids.entries())
        data.set(withPosition(await embeddings.row(id), this.position(at)), row++ * width);
    }
    using plan = treePlan(
      this.engine,
      sequences.map((ids) => ({ prefix: 0, suffixes: [ids.length] })),
    );
    return this.engine.scope(() => encode(this.engine.tensor(data, [row, width]), plan));
  }

  /** Frees the weights. */
  [Symbol.dispose](): void {
    this.loader[Symbol.dispose]();
  }
}

/** exp(logit_scale), by which CLIP multiplies cosines. */
export async function readLogitScale(checkpoint: CanonicalClip): Promise<number> {
  const [log = 0] = await checkpoint.read('logit_scale');
  return Math.exp(log);
}

const TOKEN_EMBEDDING = 'text_model.embeddings.token_embedding.weight';

/**
 * The token embedding, read from the checkpoint row by row on demand: prompt tuning needs a few dozen of its 49,408 rows, and
 * the table is a sixth of the model.
 */
export class TokenEmbeddings {
  readonly #rows = new Map<number, Float32Array>();

  constructor(private readonly checkpoint: CanonicalClip) {}

  /** Number of tokens in the table. */
  get count(): number {
    return this.checkpoint.shape(TOKEN_EMBEDDING)[0] ?? 0;
  }

  /** The embedding of one token, [width]. */
  async row(id: number): Promise<Float32Array> {
    let row = this.#rows.get(id);
    if (!row) {
      row = await this.rows(id, 1);
      this.#rows.set(id, row);
    }
    return row;
  }

  /** The embeddings of `count` tokens starting at `first`, [count, width]; not cached. */
  rows(first: number, count: number): Promise<Float32Array> {
    return this.checkpoint.read(TOKEN_EMBEDDING, { first, count });
  }
}

/** Token embedding plus position embedding. */
export function withPosition(token: Float32Array, position: Float32Array): Float32Array {
  return token.map((value, i) => value + position[i]!);
}
