/** What lies in each buffer of a kernel, for the tables of its layout; the buffers themselves are read from the WGSL. */
import type { KernelName } from '../../src/kernels/index.js';

/** Shape and meaning, by the buffer's name in the shader; a buffer that is left out is there for another entry point. */
type Layout = Readonly<Record<string, string>>;

const ROWS = '[rows, columns]';
const HEADS =
  'rows of `*_stride` elements; heads side by side from column `*_offset` on, head h at `*_offset + h * head_width`';

const attention: Layout = {
  q: `[queries, q_stride]: ${HEADS}`,
  k: '[keys, k_stride]: likewise',
  v: '[keys, v_stride]: likewise',
};
const attentionGrad: Layout = {
  ...attention,
  log_sum_exp: '[queries, heads]: from the forward pass',
  delta: '[queries, heads]: `gradOut . out` of each head',
  grad_out: '[queries, heads * head_width]',
};

/** By kernel. */
export const layouts: Readonly<Record<KernelName, Layout>> = {
  matmul: {
    a: '[m, k], or [k, m] where `TRANSPOSE_A`',
    b: '[k, n], or [n, k] where `TRANSPOSE_B`; fp16 values two per word, the first in the low bits',
    bias: '[n]',
    residual: '[m, n]',
    grad_pre_activation: '[m, n]: where the derivative of an activation is taken',
    out: '[m, n]',
    pre_activation: '[m, n]: the value before the activation, kept for the gradient',
  },
  layerNorm: {
    x: ROWS,
    weight: '[columns]',
    bias: '[columns]',
    out: ROWS,
    statistics: '[rows, 2]: mean and rstd, for the gradient',
  },
  layerNormGrad: {
    x: ROWS,
    weight: '[columns]',
    statistics: '[rows, 2]: mean and rstd',
    grad_out: ROWS,
    addend: `${ROWS}: the gradient that comes by the residual branch`,
    grad_x: ROWS,
  },
  attention: {
    ...attention,
    visible: '[queries] of four i32: the keys from x to y and from z to w',
    out: '[queries, heads * head_width]',
    log_sum_exp: "[queries, heads]: log of the softmax's denominator, for the gradients",
  },
  attentionGradQuery: {
    ...attentionGrad,
    visible: '[queries] of four i32: the keys from x to y and from z to w',
    grad_q: '[queries, grad_stride], from column `grad_offset` on',
  },
  attentionGradKeyValue: {
    ...attentionGrad,
    seen_by: '[keys] of two i32: the queries from x to y see the key',
    grad_kv: '[keys, grad_stride], from columns `grad_k_offset` and `grad_v_offset` on',
  },
  gatherRows: {
    source: '[source rows, columns]',
    index: '[rows] i32; -1 is a row of zeros',
    base: '[base rows, columns]',
    base_index: '[rows] i32; -1 adds nothing',
    out: ROWS,
  },
  scatterAddRows: {
    grad_out: ROWS,
    reader_start: '[source_rows + 1] i32: where the list of readers of a source row begins',
    readers: 'i32: the rows that read it, list after list',
    out: '[source_rows, columns]',
  },
  compose: {
    left: 'weights, [batch, classes, tokens]',
    right: 'prompts, [classes, tokens, width]',
    out: '[batch, tokens, width]',
  },
  composeGradWeights: {
    left: 'gradOut, [batch, tokens, width]',
    right: 'prompts, [classes, tokens, width]',
    out: 'gradWeights, [batch, classes, tokens]',
  },
  composeGradPrompts: {
    left: 'weights, [batch, classes, tokens]',
    right: 'gradOut, [batch, tokens, width]',
    out: 'gradPrompts, [classes, tokens, width]',
  },
  normalizeRows: { x: ROWS, out: ROWS, norm_out: '[rows]' },
  normalizeRowsGrad: { x: `the normalised rows, ${ROWS}`, grad_out: ROWS, norm_in: '[rows]', out: `gradX, ${ROWS}` },
  groupDot: { left: 'a, [groups, width]', right: 'b, [groups, members, width]', out: '[groups, members]' },
  groupDotGradA: {
    left: 'gradOut, [groups, members]',
    right: 'b, [groups, members, width]',
    out: 'gradA, [groups, width]',
  },
  groupDotGradB: {
    left: 'gradOut, [groups, members]',
    right: 'a, [groups, width]',
    out: 'gradB, [groups, members, width]',
  },
  softmax: { x: ROWS, out: ROWS },
  softmaxGrad: { x: `the softmax, ${ROWS}`, grad_out: ROWS, out: `gradX, ${ROWS}` },
  crossEntropy: { logits: ROWS, labels: '[rows] i32', losses: '[rows]', probabilities: ROWS },
  crossEntropyGrad: { probabilities: ROWS, labels: '[rows] i32', grad_losses: '[rows]', grad_logits: ROWS },
  affine: { x: '[length]', addend: '[length]', out: '[length]' },
  sumRows: { x: ROWS, out: '[columns]' },
  broadcastRows: { x: '[columns]', out: ROWS },
  patchRows: {
    pixels: '[batch, 3, size, size]',
    out: '[batch * grid * grid, 3 * patch * patch] with grid = size / patch; (channel, y, x) within a row',
  },
  sgd: { grad: '[length]', parameter: '[length], updated', first: 'the velocity, [length], updated' },
  adamW: {
    grad: '[length]',
    parameter: '[length], updated',
    first: 'the first moment, [length], updated',
    second: 'the second moment, [length], updated',
  },
};
