/**
 * The argument record of every kernel, with its definition as a formula. Conventions in contract.ts; the twins in cpu/ are the
 * same definitions as code.
 */

/** 'f16': half precision, which only the matrix product's `b` may have. A write rounds to it. */
export type DType = 'f32' | 'f16' | 'i32';

/** Activation functions of CLIP's MLP: QuickGELU `x * sigmoid(1.702 x)` (OpenAI) or exact GELU `x * Phi(x)`. */
export type Activation = 'quick_gelu' | 'gelu';

/** Memory on a device. Only its backend can look inside. */
export interface DeviceBuffer {
  readonly dtype: DType;
  /** Number of elements. */
  readonly length: number;
}

/**
 * `v = alpha * (op(a) . op(b)) + bias`, then in this order, each only if given: `preActivation = v`, `v = activation(v)`,
 * `v *= activationGrad'(preActivation)`, `v += residual`; `out = v`.
 * op(a) is [m, k] and op(b) [k, n]; with `transposeA`, `a` is stored [k, m]; with `transposeB`, `b` is stored [n, k].
 */
export interface MatmulArgs {
  a: DeviceBuffer;
  /** f32 or f16; everything else is f32. */
  b: DeviceBuffer;
  out: DeviceBuffer;
  m: number;
  n: number;
  k: number;
  transposeA?: boolean;
  transposeB?: boolean;
  alpha?: number;
  /** [n], added to every row. */
  bias?: DeviceBuffer | undefined;
  activation?: Activation | undefined;
  /** [m, n], written: the value before the activation, which the gradient needs. */
  preActivation?: DeviceBuffer | undefined;
  /** [m, n], read: multiply by the derivative of `activation` at `preActivation` (the activation's backward pass). */
  activationGrad?: { activation: Activation; preActivation: DeviceBuffer } | undefined;
  /** [m, n], added last. */
  residual?: DeviceBuffer | undefined;
}

/** Layer normalisation of each row: `out = (x - mean) * rstd * weight + bias`. */
export interface LayerNormArgs {
  x: DeviceBuffer;
  weight: DeviceBuffer;
  bias: DeviceBuffer;
  out: DeviceBuffer;
  /** [rows, 2], written: mean and rstd of each row, which the gradient needs. */
  statistics?: DeviceBuffer | undefined;
  rows: number;
  columns: number;
  epsilon: number;
}

/** Gradient of layer normalisation with respect to x (weight and bias are frozen), plus `addend` where given. */
export interface LayerNormGradArgs {
  x: DeviceBuffer;
  weight: DeviceBuffer;
  statistics: DeviceBuffer;
  gradOut: DeviceBuffer;
  /** [rows, columns], added to the result: the gradient that reaches x through the residual branch. */
  addend?: DeviceBuffer | undefined;
  gradX: DeviceBuffer;
  rows: number;
  columns: number;
}

/** Where a [rows, stride] buffer holds the heads of one operand: columns offset .. offset + heads * headWidth. */
export interface HeadsView {
  buffer: DeviceBuffer;
  stride: number;
  offset: number;
}

/**
 * The geometry shared by attention and its gradients. Which rows see which is data, not code, so that causal sequences,
 * images and trees of suffixes over a shared prefix use one kernel:
 * - query i sees the keys [visible[i][0], visible[i][1]) and [visible[i][2], visible[i][3]);
 * - key j is seen by exactly the queries [seenBy[j][0], seenBy[j][1]).
 *
 * A query that sees no key has 0 for its `out`, its `logSumExp` and its gradient; a key that no query sees has 0 for its gradients. What
 * a query does not see cannot reach it, NaN and infinities included: a row's results are those of a call without the rows that it neither
 * sees nor is seen by.
 */
export interface AttentionGeometry {
  queries: number;
  keys: number;
  heads: number;
  headWidth: number;
  /** How many pairs of a query and a key see each other; only for computing costs. */
  pairs?: number | undefined;
  /** [queries, 4] i32. */
  visible: DeviceBuffer;
  /** [keys, 2] i32. */
  seenBy: DeviceBuffer;
}

/** `out[i, h] = softmax_j(q[i, h] . k[j, h] / sqrt(headWidth)) . v[j, h]` over the keys that query i sees. */
export interface AttentionArgs extends AttentionGeometry {
  q: HeadsView;
  k: HeadsView;
  v: HeadsView;
  /** [queries, heads * headWidth]. */
  out: DeviceBuffer;
  /** [queries, heads], written: log of the softmax denominator, which the gradient needs. */
  logSumExp: DeviceBuffer;
}

/** Gradient with respect to q. */
export interface AttentionGradQueryArgs extends AttentionGeometry {
  q: HeadsView;
  k: HeadsView;
  v: HeadsView;
  logSumExp: DeviceBuffer;
  /** [queries, heads]: `gradOut . out` for each head (a groupDot), the same in both gradients. */
  delta: DeviceBuffer;
  gradOut: DeviceBuffer;
  gradQ: HeadsView;
}

/** Gradients with respect to k and v, which share one buffer (the packed projection). */
export interface AttentionGradKeyValueArgs extends AttentionGeometry {
  q: HeadsView;
  k: HeadsView;
  v: HeadsView;
  logSumExp: DeviceBuffer;
  delta: DeviceBuffer;
  gradOut: DeviceBuffer;
  gradK: HeadsView;
  /** Same buffer as gradK's. */
  gradV: HeadsView;
}

/** `out[r] = source[index[r]] + base[baseIndex[r]]`; a part whose index is -1 is zero. */
export interface GatherRowsArgs {
  source: DeviceBuffer;
  /** [rows] i32. */
  index: DeviceBuffer;
  base?: { buffer: DeviceBuffer; index: DeviceBuffer } | undefined;
  out: DeviceBuffer;
  rows: number;
  columns: number;
}

/**
 * The gradient of a gather, a scatter-add without atomics: `out[s]` is the sum of the rows `gradOut[readers[t]]` for t in
 * [readerStart[s], readerStart[s + 1]), in that order, so that the result does not depend on scheduling.
 */
export interface ScatterAddRowsArgs {
  gradOut: DeviceBuffer;
  /** [sourceRows + 1] i32. */
  readerStart: DeviceBuffer;
  /** i32. */
  readers: DeviceBuffer;
  out: DeviceBuffer;
  sourceRows: number;
  columns: number;
}

/**
 * Prompt composition (paper, Eq. 3): `out[b, j] = sum over i of weights[b, i, j] * prompts[i, j]`, a vector of `width`.
 * weights [batch, classes, tokens], prompts [classes, tokens, width], out [batch, tokens, width].
 */
export interface ComposeSizes {
  batch: number;
  classes: number;
  tokens: number;
  width: number;
}
export interface ComposeArgs extends ComposeSizes {
  weights: DeviceBuffer;
  prompts: DeviceBuffer;
  out: DeviceBuffer;
}
/** `gradWeights[b, i, j] = gradOut[b, j] . prompts[i, j]`. */
export interface ComposeGradWeightsArgs extends ComposeSizes {
  gradOut: DeviceBuffer;
  prompts: DeviceBuffer;
  gradWeights: DeviceBuffer;
}
/** `gradPrompts[i, j] = sum over b of weights[b, i, j] * gradOut[b, j]`. */
export interface ComposeGradPromptsArgs extends ComposeSizes {
  gradOut: DeviceBuffer;
  weights: DeviceBuffer;
  gradPrompts: DeviceBuffer;
}

/** `out = x / |x|` for each row, `norm[row] = |x|`. A zero row stays zero. */
export interface NormalizeRowsArgs {
  x: DeviceBuffer;
  out: DeviceBuffer;
  /** [rows], written. */
  norm: DeviceBuffer;
  rows: number;
  columns: number;
}
/** `gradX = (gradOut - out * (out . gradOut)) / norm`. */
export interface NormalizeRowsGradArgs {
  out: DeviceBuffer;
  norm: DeviceBuffer;
  gradOut: DeviceBuffer;
  gradX: DeviceBuffer;
  rows: number;
  columns: number;
}

/** `out[g, i] = scale * (a[g] . b[g, i])`: a [groups, width], b [groups, members, width], out [groups, members]. */
export interface GroupDotSizes {
  groups: number;
  members: number;
  width: number;
  scale: number;
}
export interface GroupDotArgs extends GroupDotSizes {
  a: DeviceBuffer;
  b: DeviceBuffer;
  out: DeviceBuffer;
}
/** `gradA[g] = scale * sum over i of gradOut[g, i] * b[g, i]`. */
export interface GroupDotGradAArgs extends GroupDotSizes {
  b: DeviceBuffer;
  gradOut: DeviceBuffer;
  gradA: DeviceBuffer;
}
/** `gradB[g, i] = scale * gradOut[g, i] * a[g]`. */
export interface GroupDotGradBArgs extends GroupDotSizes {
  a: DeviceBuffer;
  gradOut: DeviceBuffer;
  gradB: DeviceBuffer;
}

/** Softmax of each row. */
export interface SoftmaxArgs {
  x: DeviceBuffer;
  out: DeviceBuffer;
  rows: number;
  columns: number;
}
/** `gradX = out * (gradOut - out . gradOut)` for each row. */
export interface SoftmaxGradArgs {
  out: DeviceBuffer;
  gradOut: DeviceBuffer;
  gradX: DeviceBuffer;
  rows: number;
  columns: number;
}

/** `losses[row] = logSumExp(logits[row]) - logits[row, label[row]]`; `probabilities` = softmax, which the gradient needs. */
export interface CrossEntropyArgs {
  logits: DeviceBuffer;
  /** [rows] i32. */
  labels: DeviceBuffer;
  losses: DeviceBuffer;
  probabilities: DeviceBuffer;
  rows: number;
  columns: number;
}
/** `gradLogits = gradLosses[row] * (probabilities - onehot(label))`. */
export interface CrossEntropyGradArgs {
  probabilities: DeviceBuffer;
  labels: DeviceBuffer;
  gradLosses: DeviceBuffer;
  gradLogits: DeviceBuffer;
  rows: number;
  columns: number;
}

/** `out = scale * x + shift + addend` element by element. */
export interface AffineArgs {
  x: DeviceBuffer;
  scale: number;
  shift: number;
  addend?: DeviceBuffer | undefined;
  out: DeviceBuffer;
  length: number;
}

/** `out[c] = scale * sum over rows of x[r, c]`. */
export interface SumRowsArgs {
  x: DeviceBuffer;
  scale: number;
  out: DeviceBuffer;
  rows: number;
  columns: number;
}
/** `out[r, c] = scale * x[c]`: the gradient of SumRows. */
export interface BroadcastRowsArgs {
  x: DeviceBuffer;
  scale: number;
  out: DeviceBuffer;
  rows: number;
  columns: number;
}

/** Images [batch, 3, size, size] into patch rows [batch * (size / patch)^2, 3 * patch * patch] (channel, y, x). */
export interface PatchRowsArgs {
  pixels: DeviceBuffer;
  out: DeviceBuffer;
  batch: number;
  size: number;
  patch: number;
}

/**
 * Stochastic gradient descent with momentum as PyTorch's `torch.optim.SGD` defines it:
 * `velocity = momentum * velocity + grad`, `parameter -= learningRate * velocity`. Updates both in place.
 */
export interface SgdArgs {
  parameter: DeviceBuffer;
  grad: DeviceBuffer;
  velocity: DeviceBuffer;
  learningRate: number;
  momentum: number;
  length: number;
}

/**
 * AdamW (Loshchilov and Hutter, 2019) as PyTorch's `torch.optim.AdamW` defines it; `step` counts from 1.
 * Updates parameter and both moments in place.
 */
export interface AdamWArgs {
  parameter: DeviceBuffer;
  grad: DeviceBuffer;
  firstMoment: DeviceBuffer;
  secondMoment: DeviceBuffer;
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  step: number;
  length: number;
}
