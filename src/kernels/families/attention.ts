/**
 * Multi-head attention and its gradients. Scores are recomputed in the backward pass from the saved log-sum-exp, as FlashAttention does (Dao
 * et al., 2022, algorithm 4), so that no score matrix is kept.
 *
 * q, k and v lie in rows of `qStride`, `kStride` and `vStride` columns, their heads from column `qOffset`, `kOffset` and `vOffset` on, so that
 * all three may be parts of one buffer. Gradients lie as what they are of: `gradQ` as q, `gradKv` as k and v, which share rows.
 *
 * Which rows see which is data, not code, so that causal sequences, images and trees of suffixes over a shared prefix use one kernel:
 * - query i sees the keys [visible[i][0], visible[i][1]) and [visible[i][2], visible[i][3]);
 * - key j is seen by exactly the queries [seenBy[j][0], seenBy[j][1]).
 *
 * A query that sees no key has 0 for its `out`, its `logSumExp` and its gradient; a key that no query sees has 0 for its gradients. What
 * a query does not see cannot reach it, NaN and infinities included: a row's results are those of a call without the rows that it neither
 * sees nor is seen by.
 */
import {
  type ArgsOf,
  kernel,
  type RealArray,
  reads,
  readsIndices,
  type TuningWork,
  type Variant,
  writes,
  writesPart,
} from '../definition.js';
import { attentionCases } from './attention-cases.js';
import { dot } from './dot.js';

const q = reads('queries qStride');
const k = reads('keys kStride');
const v = reads('keys vStride');
const visible = readsIndices('4*queries');
const seenBy = readsIndices('2*keys');
const scalars = { heads: 12, headWidth: 64, qOffset: 0, kOffset: 0, vOffset: 0 };
/** How many pairs of a query and a key see each other, for costs; 0: all do. */
const options = { pairs: 0 };

/** What attention and its gradients have in common. */
type AttentionArgs = ArgsOf<{
  operands: { q: typeof q; k: typeof k; v: typeof v };
  scalars: typeof scalars;
  options: typeof options;
}>;

/**
 * `workgroup`: 64 invocations per row and head, any head up to 128 wide; `rows`: one invocation, heads of 64 columns only; `quarters`: four
 * adjacent lanes of a subgroup, each with a quarter of the columns; `subgroup`: one, lanes of a subgroup of at least 8 sharing what they load.
 */
function variantsOf(wgsl: string): readonly Variant[] {
  return [
    { name: 'workgroup', wgsl, covers: 1 },
    { name: 'rows', wgsl: `${wgsl}_rows`, covers: 64, needs: ROWS_OF_64 },
    { name: 'quarters', wgsl: `${wgsl}_quarters`, covers: 16, needs: `subgroupSize >= 4, ${ROWS_OF_64}` },
    { name: 'subgroup', wgsl: `${wgsl}_subgroup`, covers: 64, needs: `subgroupSize >= 8, ${ROWS_OF_64}` },
  ];
}

/** Heads of 64 columns, and rows that begin at a multiple of 4 elements. */
const ROWS_OF_64 = `headWidth == 64, ${['q', 'k', 'v'].map((x) => `${x}Stride % 4 == 0, ${x}Offset % 4 == 0`).join(', ')}`;

/** Arithmetic of one product with a head's row for every pair of query and key that see each other, in every head. */
function pairProducts({ pairs, queries, keys, heads, headWidth }: AttentionArgs): number {
  return 2 * (Number(pairs) || queries * keys) * heads * headWidth;
}

/** Images' rows, each seeing its own image. */
const tuning = ({ attention: { rows, heads, headWidth } }: TuningWork) => [
  [{ whole: 1, sequences: 32, prefix: rows, suffixes: 0, suffix: 0, heads, headWidth }],
];

const shared = {
  scalars,
  options,
  derived: ({ headWidth }: { readonly headWidth: number }) => ({ scale: 1 / Math.sqrt(headWidth) }),
  // By subgroups it is the fastest on llvmpipe; on an NVIDIA H200 `rows` is, in real encoding and training.
  prefer: (_: object, software: boolean) => (software ? 'subgroup' : 'rows'),
  tuning,
} as const;

const perQuery = {
  unit: 'query and head',
  units: ({ queries, heads }: { readonly queries: number; readonly heads: number }) => queries * heads,
} as const;

/** `logSumExp`: log of the softmax denominator, which the gradients need. */
export const attention = kernel({
  name: 'attention',
  formula: 'out[i] = softmax over the keys j that i sees of (q[i] . k[j] / sqrt(headWidth)) . v[j], in each head',
  operands: { q, k, v, visible, out: writes('queries heads*headWidth'), logSumExp: writes('queries heads') },
  ...shared,
  ...perQuery,
  variants: variantsOf('attention'),
  flops: (args) => 2 * pairProducts(args),
  notes: {
    q: 'heads side by side from column `q_offset` on, likewise for k and v',
    visible: 'four for each query: it sees the keys from the first to the second, and from the third to the fourth',
    logSumExp: "log of the softmax's denominator, for the gradients",
  },
  cases: attentionCases('attention'),
  twin(args) {
    const { queries, heads, headWidth, out, logSumExp } = args;
    const width = heads * headWidth;
    const scale = 1 / Math.sqrt(headWidth);
    const keys = new Int32Array(args.keys);
    const weights = new Float64Array(args.keys);
    const sum = new Float64Array(headWidth);
    for (let query = 0; query < queries; query++) {
      const count = visibleKeys(args.visible, query, keys);
      for (let head = 0; head < heads; head++) {
        const column = head * headWidth;
        const qAt = query * args.qStride + args.qOffset + column;
        let max = Number.NEGATIVE_INFINITY;
        for (let t = 0; t < count; t++) {
          const kAt = keys[t]! * args.kStride + args.kOffset + column;
          const score = scale * dot(args.q, args.k, qAt, kAt, headWidth);
          weights[t] = score;
          // Written so that a NaN score appears in the result.
          if (!(score <= max)) max = score;
        }
        let denominator = 0;
        for (let t = 0; t < count; t++) {
          weights[t] = Math.exp(weights[t]! - max);
          denominator += weights[t]!;
        }
        sum.fill(0);
        for (let t = 0; t < count; t++) {
          const vAt = keys[t]! * args.vStride + args.vOffset + column;
          addScaled(sum, args.v, vAt, headWidth, weights[t]! / denominator);
        }
        out.set(sum, query * width + column);
        logSumExp[query * heads + head] = count === 0 ? 0 : max + Math.log(denominator);
      }
    }
  },
});

/** `delta`: `gradOut . out` for each head (a groupDot), the same in both gradients. */
const incoming = {
  logSumExp: reads('queries heads'),
  delta: reads('queries heads'),
  gradOut: reads('queries heads*headWidth'),
} as const;

export const attentionGradQuery = kernel({
  name: 'attentionGradQuery',
  formula:
    'gradQ[i] = sum over j of p * (gradOut[i] . v[j] - delta[i]) * k[j] / sqrt(headWidth), p = exp(score - logSumExp[i])',
  operands: { q, k, v, visible, ...incoming, gradQ: writesPart('queries qStride') },
  ...shared,
  ...perQuery,
  variants: variantsOf('attention_grad_query'),
  flops: (args) => 3 * pairProducts(args),
  notes: {
    logSumExp: 'from the forward pass',
    delta: '`gradOut . out` of each head',
    visible: 'four for each query: it sees the keys from the first to the second, and from the third to the fourth',
    gradQ: 'from column `q_offset` on',
  },
  cases: attentionCases('attentionGradQuery'),
  twin(args) {
    const { queries, heads, headWidth, gradOut, logSumExp, delta, gradQ } = args;
    const width = heads * headWidth;
    const scale = 1 / Math.sqrt(headWidth);
    const keys = new Int32Array(args.keys);
    const sum = new Float64Array(headWidth);
    for (let query = 0; query < queries; query++) {
      const count = visibleKeys(args.visible, query, keys);
      for (let head = 0; head < heads; head++) {
        const column = head * headWidth;
        const row = query * heads + head;
        const outAt = query * width + column;
        const qAt = query * args.qStride + args.qOffset + column;
        sum.fill(0);
        for (let t = 0; t < count; t++) {
          const kAt = keys[t]! * args.kStride + args.kOffset + column;
          const vAt = keys[t]! * args.vStride + args.vOffset + column;
          const probability = Math.exp(scale * dot(args.q, args.k, qAt, kAt, headWidth) - logSumExp[row]!);
          const gradProbability = dot(gradOut, args.v, outAt, vAt, headWidth);
          addScaled(sum, args.k, kAt, headWidth, scale * probability * (gradProbability - delta[row]!));
        }
        gradQ.set(sum, qAt);
      }
    }
  },
});

export const attentionGradKeyValue = kernel({
  name: 'attentionGradKeyValue',
  formula:
    'gradV[j] = sum over i of p * gradOut[i]; gradK[j] = sum over i of p * (gradOut[i] . v[j] - delta[i]) * q[i] / sqrt(headWidth)',
  operands: { q, k, v, seenBy, ...incoming, gradKv: writesPart('keys kStride') },
  ...shared,
  unit: 'key and head',
  units: ({ keys, heads }) => keys * heads,
  variants: variantsOf('attention_grad_key_value'),
  // Of four products, two are those of the other gradient again.
  flops: (args) => 4 * pairProducts(args),
  notes: {
    logSumExp: 'from the forward pass',
    delta: '`gradOut . out` of each head',
    seenBy: 'two for each key: the queries from the first to the second see it',
    gradKv: 'from columns `k_offset` and `v_offset` on',
  },
  cases: attentionCases('attentionGradKeyValue'),
  twin(args) {
    const { keys, heads, headWidth, gradOut, logSumExp, delta, gradKv } = args;
    const width = heads * headWidth;
    const scale = 1 / Math.sqrt(headWidth);
    const kSum = new Float64Array(headWidth);
    const vSum = new Float64Array(headWidth);
    for (let key = 0; key < keys; key++) {
      for (let head = 0; head < heads; head++) {
        const column = head * headWidth;
        const kAt = key * args.kStride + args.kOffset + column;
        const vAt = key * args.vStride + args.vOffset + column;
        kSum.fill(0);
        vSum.fill(0);
        for (let query = args.seenBy[2 * key]!; query < args.seenBy[2 * key + 1]!; query++) {
          const row = query * heads + head;
          const qAt = query * args.qStride + args.qOffset + column;
          const outAt = query * width + column;
          const probability = Math.exp(scale * dot(args.q, args.k, qAt, kAt, headWidth) - logSumExp[row]!);
          const gradProbability = dot(gradOut, args.v, outAt, vAt, headWidth);
          addScaled(vSum, gradOut, outAt, headWidth, probability);
          addScaled(kSum, args.q, qAt, headWidth, scale * probability * (gradProbability - delta[row]!));
        }
        gradKv.set(kSum, kAt);
        gradKv.set(vSum, vAt);
      }
    }
  },
});

/** Lists the keys that a query sees; returns how many. */
function visibleKeys(visible: Int32Array, query: number, keys: Int32Array): number {
  let count = 0;
  for (let range = 0; range < 4; range += 2) {
    for (let key = visible[4 * query + range]!; key < visible[4 * query + range + 1]!; key++) keys[count++] = key;
  }
  return count;
}

function addScaled(to: Float64Array, from: RealArray, at: number, length: number, scale: number): void {
  for (let c = 0; c < length; c++) to[c]! += scale * from[at + c]!;
}
