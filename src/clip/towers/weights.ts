/**
 * Loads a tower's weights from a checkpoint onto a device, one tensor at a time. All weights are frozen: they are plain
 * tensors without a tape vertex, so no gradient buffer can ever be allocated for them.
 */

import type { Engine, Tensor } from '../../tensor/index.js';
import { span } from '../../trace.js';
import type { CanonicalClip } from '../checkpoint/index.js';
import type { ClipConfig, TowerConfig } from '../config.js';

/** Weight [out, in] and bias [out] of a linear layer, or weight and bias of a layer norm. */
export interface Affine {
  weight: Tensor;
  bias: Tensor;
}

export interface Block {
  norm1: Affine;
  /** Queries, keys and values in one product: [3 * width, width]. */
  qkv: Affine;
  attentionOut: Affine;
  norm2: Affine;
  fc1: Affine;
  fc2: Affine;
}

/** The last block has a separate query projection, since it needs queries for the leaf rows only. */
export interface LastBlock extends Omit<Block, 'qkv'> {
  query: Affine;
  /** [2 * width, width]. */
  keyValue: Affine;
}

export interface Transformer {
  blocks: Block[];
  last: LastBlock;
  sizes: TowerConfig;
  activation: ClipConfig['activation'];
  layerNormEpsilon: number;
}

/** Loads tensors of a checkpoint by name, and owns them so that they can be freed together. */
export class WeightLoader implements Disposable {
  readonly #owned: Tensor[] = [];

  constructor(
    readonly engine: Engine,
    readonly checkpoint: CanonicalClip,
  ) {}

  /** Runs `load` with a loader; frees the loader's tensors if it fails. */
  static async run<T>(
    engine: Engine,
    checkpoint: CanonicalClip,
    load: (loader: WeightLoader) => Promise<T>,
  ): Promise<T> {
    using _ = span('load');
    const loader = new WeightLoader(engine, checkpoint);
    try {
      return await load(loader);
    } catch (error) {
      loader[Symbol.dispose]();
      throw error;
    }
  }

  /** A tensor of the checkpoint, optionally reshaped. */
  async tensor(name: string, shape = this.checkpoint.shape(name)): Promise<Tensor> {
    return this.own(await this.checkpoint.read(name), shape);
  }

  /** The weight of a linear layer, optionally reshaped. */
  async weight(name: string, shape = this.checkpoint.shape(name)): Promise<Tensor> {
    return this.#ownWeight([name], shape);
  }

  /** Uploads host data as a tensor of the tower. */
  own(data: Float32Array, shape: readonly number[]): Tensor {
    return this.#keep(this.engine.scope(() => this.engine.tensor(data, shape).share()));
  }

  /** Uploads host data as the right operand of products. */
  ownWeight(data: Float32Array, shape: readonly number[]): Tensor {
    return this.#keep(this.engine.scope(() => this.engine.weight(data, shape).share()));
  }

  /** Weight and bias of a linear layer. */
  async linear(name: string): Promise<Affine> {
    return { weight: await this.weight(`${name}.weight`), bias: await this.tensor(`${name}.bias`) };
  }

  /** Weight and bias of a layer norm. */
  async norm(name: string): Promise<Affine> {
    return { weight: await this.tensor(`${name}.weight`), bias: await this.tensor(`${name}.bias`) };
  }

  /** A linear layer with each output multiplied by one of the numbers of `scale`, if the checkpoint has that (Touvron et al., 2021, CaiT). */
  async scaledLinear(name: string, scale: string): Promise<Affine> {
    if (!this.checkpoint.has(scale)) return this.linear(name);
    const [weight, bias, factors] = [
      await this.checkpoint.read(`${name}.weight`),
      await this.checkpoint.read(`${name}.bias`),
      await this.checkpoint.read(scale),
    ];
    const columns = weight.length / factors.length;
    for (const [row, factor] of factors.entries()) {
      for (let at = row * columns; at < (row + 1) * columns; at++) weight[at]! *= factor;
      bias[row]! *= factor;
    }
    return {
      weight: this.#keep(this.engine.scope(() => this.engine.weight(weight, [factors.length, columns]).share())),
      bias: this.own(bias, [factors.length]),
    };
  }

  /** Several linear layers with the same input as one, with concatenated outputs. A bias that the checkpoint has not is 0. */
  async stacked(names: readonly string[]): Promise<Affine> {
    const biases: Float32Array[] = [];
    const [rows = 0, columns = 0] = this.checkpoint.shape(`${names[0]}.weight`);
    for (const name of names.map((each) => `${each}.bias`))
      biases.push(this.checkpoint.has(name) ? await this.checkpoint.read(name) : new Float32Array(rows));
    return {
      weight: await this.#ownWeight(
        names.map((name) => `${name}.weight`),
        [names.length * rows, columns],
      ),
      bias: this.own(joined(biases, Float32Array), [names.length * rows]),
    };
  }

  /** All blocks of `vision_model` or `text_model`. */
  async transformer(
    model: 'vision_model' | 'text_model',
    sizes: TowerConfig,
    config: Pick<ClipConfig, 'activation' | 'layerNormEpsilon'>,
  ): Promise<Transformer> {
    const blocks: Block[] = [];
    const { activation, layerNormEpsilon } = config;
    for (let layer = 0; layer < sizes.layers - 1; layer++) {
      const name = `${model}.encoder.layers.${layer}`;
      const [q, k, v] = ['q', 'k', 'v'].map((part) => `${name}.self_attn.${part}_proj`);
      blocks.push({ ...(await this.#common(name)), qkv: await this.stacked([q!, k!, v!]) });
    }
    const name = `${model}.encoder.layers.${sizes.layers - 1}`;
    const last = {
      ...(await this.#common(name)),
      query: await this.linear(`${name}.self_attn.q_proj`),
      keyValue: await this.stacked([`${name}.self_attn.k_proj`, `${name}.self_attn.v_proj`]),
    };
    return { blocks, last, sizes, activation, layerNormEpsilon };
  }

  async #common(name: string): Promise<Omit<Block, 'qkv'>> {
    return {
      norm1: await this.norm(`${name}.layer_norm1`),
      attentionOut: await this.linear(`${name}.self_attn.out_proj`),
      norm2: await this.norm(`${name}.layer_norm2`),
      fc1: await this.linear(`${name}.mlp.fc1`),
      fc2: await this.linear(`${name}.mlp.fc2`),
    };
  }

  /** The named tensors, concatenated by rows. Tensors stored in half precision are uploaded without widening. */
  async #ownWeight(names: readonly string[], shape: readonly number[]): Promise<Tensor> {
    const halves: Uint16Array[] = [];
    for (const name of names) {
      const bits = await this.checkpoint.readHalves(name);
      if (bits) halves.push(bits);
    }
    if (halves.length === names.length) {
      return this.#keep(
        this.engine.scope(() => this.engine.weightOfHalves(joined(halves, Uint16Array), shape).share()),
      );
    }
    const parts: Float32Array[] = [];
    for (const name of names) parts.push(await this.checkpoint.read(name));
    return this.ownWeight(joined(parts, Float32Array), shape);
  }

  #keep(tensor: Tensor): Tensor {
    this.#owned.push(tensor);
    return tensor;
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#owned.splice(0)) tensor.dispose();
  }
}

/** Concatenates the parts; a single part is returned as it is. */
function joined<T extends Float32Array | Uint16Array>(parts: readonly T[], Whole: new (length: number) => T): T {
  if (parts.length === 1) return parts[0]!;
  const whole = new Whole(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
