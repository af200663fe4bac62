/** Cases of attention and its gradients: trees of rows, or pictures whose rows all see each other. */
import type { CaseData } from '../cases.js';
import type { DeviceBuffer, Sizes } from '../definition.js';
import { pictureRows, type RowVisibility, treeRows } from './visibility.js';

/** `sequences` trees: a causal prefix, then causal suffixes that see the prefix and themselves. A prefix of 0 makes sentences. */
const sizes = { sequences: 32, prefix: 50, suffixes: 0, suffix: 2, heads: 12, headWidth: 64 };

/**
 * `whole`: rows see all of the prefix, as a picture's do. `ragged`: suffixes grow evenly up to their length. `leaves`: only the
 * last row of each suffix (of each picture: the first) asks, and q is a separate buffer, as in a tower's last block. `blind`: so many
 * rows before and after the sequences see nothing and are seen by none. `apart`: q, k and v are three buffers whose heads do not begin at the first
 * column, with rows as long as in no other. `far`: heads of 64 columns whose scores are
 * about -128 in the first half of the rows and 128 in the second. In float32 the exponentials of these are 0 and infinite, unless the largest
 * score is subtracted, and 0 too if that is the largest of keys that the query does not see.
 */
const variations = { whole: 1, ragged: 0, leaves: 0, blind: 0, apart: 0, far: 0 };

const geometries: readonly Sizes[] = [
  { whole: 0, sequences: 1, prefix: 0, suffixes: 1, suffix: 1, heads: 1, headWidth: 1 },
  { whole: 0, sequences: 1, prefix: 0, suffixes: 2, suffix: 71, ragged: 1, heads: 3, headWidth: 16 },
  { whole: 0, sequences: 2, prefix: 4, suffixes: 3, suffix: 3, ragged: 1, heads: 2, headWidth: 64 },
  { whole: 0, sequences: 1, prefix: 9, suffixes: 1, suffix: 70, heads: 1, headWidth: 65 },
  { whole: 0, sequences: 1, prefix: 0, suffixes: 1, suffix: 3, heads: 1, headWidth: 128 },
  { whole: 1, sequences: 3, prefix: 50, suffixes: 0, heads: 2, headWidth: 64 },
  { whole: 0, sequences: 3, prefix: 11, suffixes: 8, suffix: 2, heads: 3, headWidth: 7 },
  { whole: 0, sequences: 2, prefix: 4, suffixes: 2, suffix: 3, heads: 2, headWidth: 64, blind: 3 },
  { whole: 1, sequences: 2, prefix: 9, suffixes: 0, heads: 1, headWidth: 64, blind: 11 },
  // As wide as a tower.
  { whole: 1, sequences: 1, prefix: 7, suffixes: 0, heads: 12, headWidth: 64 },
];

/** Cases of one of the three kernels. */
export function attentionCases(kernel: 'attention' | 'attentionGradQuery' | 'attentionGradKeyValue') {
  return {
    sizes,
    variations,
    data(d: CaseData, of: Sizes) {
      const sharesRows = kernel === 'attentionGradKeyValue';
      const { width, ...common } = operands(d, of as typeof sizes & typeof variations, sharesRows);
      const { queries, keys, heads, qStride, kStride, visible, seenBy, ...args } = common;
      const forward = { ...args, queries, keys, heads, qStride, kStride };
      if (kernel === 'attention') return { ...forward, visible: d.ints(visible) };
      const backward = {
        ...forward,
        // A constant, not the true one: the gradients must use what they are given.
        logSumExp: d.values(Array.from({ length: queries * heads }, (_, i) => 1 + (i % 5) / 4)),
        delta: d.real(queries * heads),
        gradOut: d.real(queries * width),
      };
      return kernel === 'attentionGradQuery'
        ? { ...backward, visible: d.ints(visible), gradQ: d.part(queries, qStride) }
        : { ...backward, seenBy: d.ints(seenBy), gradKv: d.part(keys, kStride) };
    },
    suite: [
      ...geometries.flatMap((geometry) => [geometry, { ...geometry, leaves: 1 }]),
      ...geometries.filter(({ headWidth }) => headWidth! > 1).map((geometry) => ({ ...geometry, apart: 1 })),
      // Not of the gradients, which are given a log of the denominator that belongs to other scores.
      ...(kernel === 'attention'
        ? [
            { ...geometries[2], far: 1 },
            { ...geometries[5], far: 1 },
          ]
        : []),
    ],
  };
}

function visibilityOf({ sequences, prefix, suffixes, suffix, whole, ragged, blind }: typeof sizes & typeof variations) {
  if (whole) return pictureRows(sequences, prefix, blind);
  const lengths = Array.from({ length: suffixes }, (_, i) =>
    ragged ? Math.ceil((suffix * (i + 1)) / suffixes) : suffix,
  );
  return treeRows(sequences, prefix, lengths, blind);
}

/** q, k and v side by side in one buffer as in a block, or q apart, or all; `sharesRows`: rows of k are as long as those of v. */
function operands(d: CaseData, of: typeof sizes & typeof variations, sharesRows: boolean) {
  const { heads, headWidth, leaves } = of;
  const width = heads * headWidth;
  const geometry: RowVisibility = visibilityOf(of);
  const { visible, seenBy } = leaves ? geometry.onlyLeaves() : geometry;
  const [queries, keys] = [visible.length / 4, seenBy.length / 2];
  let pairs = 0;
  for (let i = 0; i < visible.length; i += 2) pairs += visible[i + 1]! - visible[i]!;
  return {
    queries,
    keys,
    heads,
    headWidth,
    pairs,
    width,
    ...(of.apart ? apart(d, queries, keys, width, sharesRows) : packed(d, queries, keys, width, of)),
    visible,
    seenBy,
  };
}

function packed(d: CaseData, queries: number, keys: number, width: number, { leaves, far }: typeof variations) {
  const rows = far ? farRows(d, keys, width) : d.real(keys * 3 * width);
  return {
    ...(leaves ? { q: d.real(queries * width), qStride: width } : { q: rows, qStride: 3 * width }),
    ...{ k: rows, v: rows, kStride: 3 * width, vStride: 3 * width },
    ...{ qOffset: 0, kOffset: width, vOffset: 2 * width },
  };
}

/** q is 4 and k about -4 or 4, by multiples of 1/16 whose products have exact sums: so large a score may not be rounded. */
function farRows(d: CaseData, keys: number, width: number): DeviceBuffer {
  const value = (row: number, column: number) => {
    if (column < width) return 4;
    if (column >= 2 * width) return ((row * 3 + column) % 11) / 5 - 1;
    return (2 * row < keys ? -1 : 1) * (4 + ((row * 5 + column) % 7) / 16);
  };
  return d.values(
    Array.from({ length: keys * 3 * width }, (_, i) => value(Math.floor(i / (3 * width)), i % (3 * width))),
  );
}

/** Strides and offsets are multiples of 4 wherever the width is, as some variants need. */
function apart(d: CaseData, queries: number, keys: number, width: number, sharesRows: boolean) {
  const [qStride, kStride] = [width + 8, 2 * width + 12];
  const vStride = sharesRows ? kStride : width + 16;
  return {
    ...{ q: d.real(queries * qStride), k: d.real(keys * kStride), v: d.real(keys * vStride) },
    ...{ qStride, kStride, vStride, qOffset: 4, kOffset: 8, vOffset: sharesRows ? width + 8 : 12 },
  };
}
