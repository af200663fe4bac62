/** Attention and its gradients over trees of rows, or over pictures whose rows all see each other. */
import type { AttentionGeometry, HeadsView } from '../../kernels/index.js';
import type { CaseData } from '../kernel-case.js';
import { pictureRows, type RowVisibility, treeRows } from '../visibility.js';
import { labKernel } from './lab-kernel.js';

/** `sequences` trees: a causal prefix, then causal suffixes that see the prefix and themselves. A prefix of 0 makes sentences. */
const extents = { sequences: 32, prefix: 50, suffixes: 0, suffix: 2, heads: 12, headWidth: 64 };

/**
 * `whole`: rows see all of the prefix, as a picture's do. `ragged`: suffixes grow evenly up to their length. `leaves`: only the
 * last row of each suffix (of each picture: the first) asks, and q is a separate buffer, as in a tower's last block. `blind`: so many
 * rows before and after the sequences see nothing and are seen by none.
 */
const options = { whole: 1, ragged: 0, leaves: 0, blind: 0 };

type AttentionSizes = typeof extents & typeof options;

const geometries: Partial<AttentionSizes>[] = [
  { whole: 0, sequences: 1, prefix: 0, suffixes: 1, suffix: 1, heads: 1, headWidth: 1 },
  { whole: 0, sequences: 1, prefix: 0, suffixes: 2, suffix: 71, ragged: 1, heads: 3, headWidth: 16 },
  { whole: 0, sequences: 2, prefix: 4, suffixes: 3, suffix: 3, ragged: 1, heads: 2, headWidth: 64 },
  { whole: 0, sequences: 1, prefix: 9, suffixes: 1, suffix: 70, heads: 1, headWidth: 65 },
  { whole: 0, sequences: 1, prefix: 0, suffixes: 1, suffix: 3, heads: 1, headWidth: 128 },
  { whole: 1, sequences: 3, prefix: 50, suffixes: 0, heads: 2, headWidth: 64 },
  { whole: 0, sequences: 3, prefix: 11, suffixes: 8, suffix: 2, heads: 3, headWidth: 7 },
  { whole: 0, sequences: 2, prefix: 4, suffixes: 2, suffix: 3, heads: 2, headWidth: 64, blind: 3 },
  { whole: 1, sequences: 2, prefix: 9, suffixes: 0, heads: 1, headWidth: 64, blind: 11 },
];

const suite = geometries.flatMap((sizes) => [sizes, { ...sizes, leaves: 1 }]);

function visibilityOf({ sequences, prefix, suffixes, suffix, whole, ragged, blind }: AttentionSizes): RowVisibility {
  if (whole) return pictureRows(sequences, prefix, blind);
  const lengths = Array.from({ length: suffixes }, (_, i) =>
    ragged ? Math.ceil((suffix * (i + 1)) / suffixes) : suffix,
  );
  return treeRows(sequences, prefix, lengths, blind);
}

/** q, k and v side by side in one buffer as in a block, or q apart. */
function operands(
  d: CaseData,
  sizes: AttentionSizes,
): AttentionGeometry & { q: HeadsView; k: HeadsView; v: HeadsView; width: number } {
  const { heads, headWidth, leaves } = sizes;
  const width = heads * headWidth;
  const geometry = visibilityOf(sizes);
  const { visible, seenBy } = leaves ? geometry.onlyLeaves() : geometry;
  const [queries, keys] = [visible.length / 4, seenBy.length / 2];
  const packed = { buffer: d.real(keys * 3 * width), stride: 3 * width };
  const q = leaves ? { buffer: d.real(queries * width), stride: width, offset: 0 } : { ...packed, offset: 0 };
  let pairs = 0;
  for (let i = 0; i < visible.length; i += 2) pairs += visible[i + 1]! - visible[i]!;
  return {
    queries,
    keys,
    heads,
    headWidth,
    pairs,
    width,
    q,
    k: { ...packed, offset: width },
    v: { ...packed, offset: 2 * width },
    visible: d.ints(visible),
    seenBy: d.ints(seenBy),
  };
}

/** A constant log-sum-exp, not the true one: the gradients must use what they are given. */
const lse = (d: CaseData, count: number) => d.values(Array.from({ length: count }, (_, i) => 1 + (i % 5) / 4));

export const attention = labKernel('attention', {
  equation: 'out[i] = softmax over the keys j that i sees of (q[i] . k[j] / sqrt(headWidth)) . v[j], in each head',
  extents,
  options,
  unit: 'query and head',
  units: ({ queries, heads }) => queries * heads,
  args: (d, sizes) => {
    const { width, ...args } = operands(d, sizes);
    return { ...args, out: d.output(args.queries, width), logSumExp: d.output(args.queries, args.heads) };
  },
  suite,
});

export const attentionGradQuery = labKernel('attentionGradQuery', {
  equation:
    'gradQ[i] = sum over j of p * (gradOut[i] . v[j] - delta[i]) * k[j] / sqrt(headWidth), p = exp(score - logSumExp[i])',
  extents,
  options,
  unit: 'query and head',
  units: ({ queries, heads }) => queries * heads,
  args: (d, sizes) => {
    const { width, ...args } = operands(d, sizes);
    const { queries, heads } = args;
    return {
      ...args,
      logSumExp: lse(d, queries * heads),
      delta: d.real(queries * heads),
      gradOut: d.real(queries * width),
      gradQ: { buffer: d.output(queries, width), stride: width, offset: 0 },
    };
  },
  suite,
});

export const attentionGradKeyValue = labKernel('attentionGradKeyValue', {
  equation:
    'gradV[j] = sum over i of p * gradOut[i]; gradK[j] = sum over i of p * (gradOut[i] . v[j] - delta[i]) * q[i] / sqrt(headWidth)',
  extents,
  options,
  unit: 'key and head',
  units: ({ keys, heads }) => keys * heads,
  args: (d, sizes) => {
    const { width, ...args } = operands(d, sizes);
    const { queries, keys, heads } = args;
    const grad = { buffer: d.output(keys, 2 * width), stride: 2 * width };
    return {
      ...args,
      logSumExp: lse(d, queries * heads),
      delta: d.real(queries * heads),
      gradOut: d.real(queries * width),
      gradK: { ...grad, offset: 0 },
      gradV: { ...grad, offset: width },
    };
  },
  suite,
});
