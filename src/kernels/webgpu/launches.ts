/** How each kernel of the contract (but the matrix product, see matmul.ts) is launched: one short function per kernel. */
import type { AttentionGeometry, HeadsView, KernelName, Kernels } from '../contract.js';
import { elementGrid, groupGrid, LANES, type Launch } from './launch.js';

type Launchers = { readonly [K in Exclude<KernelName, 'matmul'>]: (args: Kernels[K]) => Launch };

export const launchers: Launchers = {
  layerNorm: ({ x, weight, bias, out, statistics, rows, columns, epsilon }) => ({
    files: ['reduce', 'layer_norm'],
    entryPoint: 'main',
    constants: { STORE_STATISTICS: Number(statistics !== undefined) },
    params: { rows, columns, epsilon },
    buffers: { x, weight, bias, out, statistics },
    workgroups: groupGrid(rows),
  }),

  layerNormGrad: ({ x, weight, statistics, gradOut, addend, gradX, rows, columns }) => ({
    files: ['reduce', 'layer_norm_grad'],
    entryPoint: 'main',
    constants: { HAS_ADDEND: Number(addend !== undefined) },
    params: { rows, columns },
    buffers: { x, weight, statistics, grad_out: gradOut, addend, grad_x: gradX },
    workgroups: groupGrid(rows),
  }),

  attention: (args) => ({
    files: ['reduce', 'attention'],
    entryPoint: 'main',
    params: attentionParams(args),
    buffers: { ...attentionOperands(args), visible: args.visible, out: args.out, log_sum_exp: args.logSumExp },
    workgroups: groupGrid(args.queries * args.heads),
  }),

  attentionGradQuery: (args) => ({
    files: ['reduce', 'attention_grad_query'],
    entryPoint: 'main',
    params: { ...attentionParams(args), grad_stride: args.gradQ.stride, grad_offset: args.gradQ.offset },
    buffers: {
      ...attentionOperands(args),
      visible: args.visible,
      log_sum_exp: args.logSumExp,
      delta: args.delta,
      grad_out: args.gradOut,
      grad_q: args.gradQ.buffer,
    },
    workgroups: groupGrid(args.queries * args.heads),
  }),

  attentionGradKeyValue: (args) => ({
    files: ['reduce', 'attention_grad_key_value'],
    entryPoint: 'main',
    params: {
      ...attentionParams(args),
      grad_stride: args.gradK.stride,
      grad_k_offset: args.gradK.offset,
      grad_v_offset: args.gradV.offset,
    },
    buffers: {
      ...attentionOperands(args),
      seen_by: args.seenBy,
      log_sum_exp: args.logSumExp,
      delta: args.delta,
      grad_out: args.gradOut,
      grad_kv: args.gradK.buffer,
    },
    workgroups: groupGrid(args.keys * args.heads),
  }),

  gatherRows: ({ source, index, base, out, rows, columns }) => ({
    files: ['elements', 'gather_rows'],
    entryPoint: 'main',
    constants: { HAS_BASE: Number(base !== undefined) },
    params: { rows, columns },
    buffers: { source, index, base: base?.buffer, base_index: base?.index, out },
    workgroups: elementGrid(rows * columns),
  }),

  scatterAddRows: ({ gradOut, readerStart, readers, out, sourceRows, columns }) => ({
    files: ['elements', 'scatter_add_rows'],
    entryPoint: 'main',
    params: { source_rows: sourceRows, columns },
    buffers: { grad_out: gradOut, reader_start: readerStart, readers, out },
    workgroups: elementGrid(sourceRows * columns),
  }),

  compose: ({ weights, prompts, out, ...sizes }) => ({
    files: ['elements', 'compose'],
    entryPoint: 'compose',
    params: sizes,
    buffers: { left: weights, right: prompts, out },
    workgroups: elementGrid(sizes.batch * sizes.tokens * sizes.width),
  }),

  composeGradWeights: ({ gradOut, prompts, gradWeights, ...sizes }) => ({
    files: ['elements', 'compose'],
    entryPoint: 'grad_weights',
    params: sizes,
    buffers: { left: gradOut, right: prompts, out: gradWeights },
    workgroups: elementGrid(sizes.batch * sizes.classes * sizes.tokens),
  }),

  composeGradPrompts: ({ gradOut, weights, gradPrompts, ...sizes }) => ({
    files: ['elements', 'compose'],
    entryPoint: 'grad_prompts',
    params: sizes,
    buffers: { left: weights, right: gradOut, out: gradPrompts },
    workgroups: elementGrid(sizes.classes * sizes.tokens * sizes.width),
  }),

  normalizeRows: ({ x, out, norm, rows, columns }) => ({
    files: ['reduce', 'row_norm'],
    entryPoint: 'normalize_rows',
    params: { rows, columns },
    buffers: { x, out, norm_out: norm },
    workgroups: groupGrid(rows),
  }),

  normalizeRowsGrad: ({ out, norm, gradOut, gradX, rows, columns }) => ({
    files: ['reduce', 'row_norm'],
    entryPoint: 'normalize_rows_grad',
    params: { rows, columns },
    buffers: { x: out, grad_out: gradOut, norm_in: norm, out: gradX },
    workgroups: groupGrid(rows),
  }),

  groupDot: ({ a, b, out, ...sizes }) => ({
    files: ['elements', 'group_dot'],
    entryPoint: 'group_dot',
    params: sizes,
    buffers: { left: a, right: b, out },
    workgroups: elementGrid(sizes.groups * sizes.members),
  }),

  groupDotGradA: ({ b, gradOut, gradA, ...sizes }) => ({
    files: ['elements', 'group_dot'],
    entryPoint: 'grad_a',
    params: sizes,
    buffers: { left: gradOut, right: b, out: gradA },
    workgroups: elementGrid(sizes.groups * sizes.width),
  }),

  groupDotGradB: ({ a, gradOut, gradB, ...sizes }) => ({
    files: ['elements', 'group_dot'],
    entryPoint: 'grad_b',
    params: sizes,
    buffers: { left: gradOut, right: a, out: gradB },
    workgroups: elementGrid(sizes.groups * sizes.members * sizes.width),
  }),

  softmax: ({ x, out, rows, columns }) => ({
    files: ['reduce', 'row_norm'],
    entryPoint: 'softmax',
    params: { rows, columns },
    buffers: { x, out },
    workgroups: groupGrid(rows),
  }),

  softmaxGrad: ({ out, gradOut, gradX, rows, columns }) => ({
    files: ['reduce', 'row_norm'],
    entryPoint: 'softmax_grad',
    params: { rows, columns },
    buffers: { x: out, grad_out: gradOut, out: gradX },
    workgroups: groupGrid(rows),
  }),

  crossEntropy: ({ logits, labels, losses, probabilities, rows, columns }) => ({
    files: ['reduce', 'cross_entropy'],
    entryPoint: 'main',
    params: { rows, columns },
    buffers: { logits, labels, losses, probabilities },
    workgroups: groupGrid(rows),
  }),

  crossEntropyGrad: ({ probabilities, labels, gradLosses, gradLogits, rows, columns }) => ({
    files: ['elements', 'cross_entropy_grad'],
    entryPoint: 'main',
    params: { rows, columns },
    buffers: { probabilities, labels, grad_losses: gradLosses, grad_logits: gradLogits },
    workgroups: elementGrid(rows * columns),
  }),

  affine: ({ x, scale, shift, addend, out, length }) => ({
    files: ['elements', 'affine'],
    entryPoint: 'main',
    constants: { HAS_ADDEND: Number(addend !== undefined) },
    params: { length, scale, shift },
    buffers: { x, addend, out },
    workgroups: elementGrid(length),
  }),

  sumRows: ({ x, scale, out, rows, columns }) => ({
    files: ['reduce', 'sum_rows'],
    entryPoint: 'sum_rows',
    params: { rows, columns, scale },
    buffers: { x, out },
    workgroups: groupGrid(columns),
  }),

  broadcastRows: ({ x, scale, out, rows, columns }) => ({
    files: ['reduce', 'sum_rows'],
    entryPoint: 'broadcast_rows',
    params: { rows, columns, scale },
    buffers: { x, out },
    workgroups: groupGrid(Math.ceil((rows * columns) / LANES)),
  }),

  patchRows: ({ pixels, out, batch, size, patch }) => ({
    files: ['elements', 'patch_rows'],
    entryPoint: 'main',
    params: { batch, size, patch_size: patch },
    buffers: { pixels, out },
    workgroups: elementGrid(batch * 3 * size * size),
  }),

  sgd: ({ parameter, grad, velocity, learningRate, momentum, length }) => ({
    files: ['elements', 'optimizers'],
    entryPoint: 'sgd',
    params: { ...NO_ADAM, length, learning_rate: learningRate, momentum },
    buffers: { parameter, grad, first: velocity },
    workgroups: elementGrid(length),
  }),

  adamW: (args) => ({
    files: ['elements', 'optimizers'],
    entryPoint: 'adamw',
    params: {
      length: args.length,
      learning_rate: args.learningRate,
      momentum: 0,
      beta1: args.beta1,
      beta2: args.beta2,
      epsilon: args.epsilon,
      weight_decay: args.weightDecay,
      // In float64 on the host: 1 - 0.999^step loses half its digits in float32.
      first_correction: 1 - args.beta1 ** args.step,
      second_correction: 1 - args.beta2 ** args.step,
    },
    buffers: { parameter: args.parameter, grad: args.grad, first: args.firstMoment, second: args.secondMoment },
    workgroups: elementGrid(args.length),
  }),
};

/** Adam's parameters in a launch of SGD, which shares the struct. */
const NO_ADAM = { beta1: 0, beta2: 0, epsilon: 0, weight_decay: 0, first_correction: 1, second_correction: 1 };

function attentionOperands({ q, k, v }: { q: HeadsView; k: HeadsView; v: HeadsView }) {
  return { q: q.buffer, k: k.buffer, v: v.buffer };
}

function attentionParams(args: AttentionGeometry & { q: HeadsView; k: HeadsView; v: HeadsView }) {
  return {
    queries: args.queries,
    keys: args.keys,
    heads: args.heads,
    head_width: args.headWidth,
    q_stride: args.q.stride,
    q_offset: args.q.offset,
    k_stride: args.k.stride,
    k_offset: args.k.offset,
    v_stride: args.v.stride,
    v_offset: args.v.offset,
    scale: 1 / Math.sqrt(args.headWidth),
  };
}
