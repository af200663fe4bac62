/**
 * The pre-norm transformer that both towers share (Vaswani et al., 2017; Radford et al., 2019):
 * h = x + attention(norm1(x)), y = h + mlp(norm2(h)). Each block frees its intermediate results when it ends, except
 * those that the tape keeps for the backward pass.
 */
import type { LayerProduct } from '../../kernels/index.js';
import {
  crossAttention,
  feedForward,
  gatherRows,
  layerNorm,
  linear,
  selfAttention,
  type Tensor,
} from '../../tensor/index.js';
import type { ClipConfig, TowerConfig } from '../config.js';
import type { RowPlan } from './row-plan.js';
import type { Affine, Block, LastBlock, Transformer } from './weights.js';

/** Gives a block, counted from 0, other rows [rows, width] than the block before has made; or the same. */
export type BlockInput = (block: number, rows: Tensor) => Tensor;

/**
 * Runs x [rows, width] through all blocks. Returns only the leaf rows [leaves, width]; no others are read. With `input`, each block reads
 * what that makes of its rows.
 */
export function transform(
  transformer: Transformer,
  x: Tensor,
  plan: RowPlan,
  input: BlockInput = (_, rows) => rows,
): Tensor {
  const { engine } = x;
  return engine.scope(() => {
    let rows = x;
    for (const [at, block] of transformer.blocks.entries()) {
      const next = engine.scope(() => fullBlock(transformer, block, input(at, rows), plan));
      if (rows !== x) rows.dispose();
      rows = next;
    }
    return lastBlock(transformer, transformer.last, input(transformer.blocks.length, rows), plan);
  });
}

function fullBlock(transformer: Transformer, block: Block, x: Tensor, plan: RowPlan): Tensor {
  const qkv = linear(norm(transformer, x, block.norm1), block.qkv.weight, block.qkv.bias);
  const attended = selfAttention(qkv, plan.all, transformer.sizes.heads);
  return afterAttention(transformer, block, attended, x);
}

/** Keys and values for all rows, everything else for the leaves only (DESIGN: exact saving 5). */
function lastBlock(transformer: Transformer, block: LastBlock, x: Tensor, plan: RowPlan): Tensor {
  const normed = norm(transformer, x, block.norm1);
  const keyValue = linear(normed, block.keyValue.weight, block.keyValue.bias);
  const query = linear(gatherRows(normed, plan.leafRows), block.query.weight, block.query.bias);
  const attended = crossAttention(query, keyValue, plan.leaves, transformer.sizes.heads);
  return afterAttention(transformer, block, attended, gatherRows(x, plan.leafRows));
}

/** What a block does after attention to all its rows or, in a tower's last one, to some: the projection and the MLP, each added to its input. */
export function afterAttention(
  transformer: Pick<Transformer, 'activation' | 'layerNormEpsilon'>,
  block: Omit<LastBlock, 'norm1' | 'query' | 'keyValue'>,
  attended: Tensor,
  x: Tensor,
): Tensor {
  const { fc1, fc2, attentionOut, norm2 } = block;
  const h = linear(attended, attentionOut.weight, attentionOut.bias, { residual: x });
  const layers = {
    weight1: fc1.weight,
    bias1: fc1.bias,
    weight2: fc2.weight,
    bias2: fc2.bias,
    activation: transformer.activation,
  };
  return feedForward(norm(transformer, h, norm2), layers, h);
}

function norm(
  { layerNormEpsilon }: Pick<Transformer, 'layerNormEpsilon'>,
  x: Tensor,
  { weight, bias }: Affine,
): Tensor {
  return layerNorm(x, weight, bias, layerNormEpsilon);
}

/** Index data per row: visible keys, queries that see it, where its values come from and where its gradient goes. */
const ROW_NUMBERS = 16;

/** Peak count of numbers per row in a training pass, on the tape and in the working set. */
export function trainingNumbersPerRow({ sizes }: Transformer): number {
  const { width, intermediate, heads, layers } = sizes;
  // Saved by each block: x, qkv, the attention's output and log-sum-exp, h, the MLP's pre-activation, two norms' statistics.
  const saved = 6 * width + intermediate + heads + 4;
  // Also alive at the peak of the backward pass: the MLP's hidden gradient and four rows of `width`.
  const working = intermediate + 4 * width;
  return layers * saved + working + ROW_NUMBERS;
}

/** The same without a tape: the MLP's hidden layer, qkv, the residual, the tower's input and a few rows of `width`. */
export function inferenceNumbersPerRow({ sizes }: Transformer): number {
  return sizes.intermediate + 11 * sizes.width + sizes.heads + ROW_NUMBERS;
}

/** Bytes of a tower's largest weight in single precision. */
export function largestWeightBytes({ width, intermediate }: TowerConfig): number {
  return 4 * width * Math.max(3 * width, intermediate);
}

/** The matrix products of both towers' forward passes and of the text tower's backward pass (through frozen weights, to the prompts). */
export function layerProducts({ vision, text, projectionDim }: ClipConfig): LayerProduct[] {
  const { patchSize } = vision;
  const visionLayers = [
    ...blockLayers(vision),
    { n: vision.width, k: 3 * patchSize * patchSize },
    { n: projectionDim, k: vision.width },
  ];
  const textLayers = [...blockLayers(text), { n: projectionDim, k: text.width }];
  return [
    ...[...visionLayers, ...textLayers].map((layer) => ({ ...layer, transposeB: true })),
    ...textLayers.map(({ n, k }) => ({ n: k, k: n, transposeB: false })),
  ];
}

function blockLayers({ width, intermediate }: TowerConfig): { n: number; k: number }[] {
  return [
    { n: 3 * width, k: width },
    { n: width, k: width },
    { n: intermediate, k: width },
    { n: width, k: intermediate },
    // The last block's keys and values.
    { n: 2 * width, k: width },
  ];
}
