/**
 * Multi-head attention among the rows of each image, with a number added to the score of every pair of rows in every head, as relative
 * position biases are (Shaw et al., 2018; Bao et al., 2022, BEiT). Forward only.
 *
 * Queries, keys and values lie side by side in one row, each with its heads side by side. Images follow each other and share the biases. Nothing
 * of an image reaches another, NaN and infinities included.
 */
import { kernel, reads, type TuningWork, writes } from '../definition.js';
import { dot } from './dot.js';

const sizes = { images: 8, rows: 197, heads: 12, headWidth: 64 };

/** A score is at most some ten in size at random: biases up to this far apart make exponentials of 0 and infinity if the largest is not subtracted. */
const STEEP = 200;

/** Rows of 1, primes, around a subgroup's 8 and a workgroup's 64; heads of any width, and of the 64 columns that all variants take. */
const suite = [
  { images: 1, rows: 1, heads: 1, headWidth: 1 },
  { images: 3, rows: 5, heads: 3, headWidth: 7 },
  { images: 2, rows: 17, heads: 2, headWidth: 65 },
  { images: 1, rows: 66, heads: 2, headWidth: 128 },
  { images: 1, rows: 1, heads: 2, headWidth: 64 },
  { images: 5, rows: 3, heads: 3, headWidth: 64 },
  { images: 3, rows: 50, heads: 2, headWidth: 64 },
  { images: 2, rows: 65, heads: 1, headWidth: 64 },
  { images: 1, rows: 197, heads: 2, headWidth: 64 },
  { images: 2, rows: 9, heads: 12, headWidth: 64 },
];

/** `bias[head][i][j]` is added to the scaled score of query i and key j of an image. */
export const biasedAttention = kernel({
  name: 'biasedAttention',
  formula:
    "out[i] = softmax over the rows j of i's image of (q[i] . k[j] / sqrt(headWidth) + bias[i, j]) . v[j], in each head",
  operands: {
    qkv: reads('images*rows 3*heads*headWidth'),
    bias: reads('heads rows rows'),
    out: writes('images*rows heads*headWidth'),
  },
  derived: ({ headWidth }) => ({ scale: 1 / Math.sqrt(headWidth) }),
  twin({ qkv, bias, out, images, rows, heads, headWidth }) {
    const width = heads * headWidth;
    const scale = 1 / Math.sqrt(headWidth);
    const weights = new Float64Array(rows);
    const sum = new Float64Array(headWidth);
    for (let row = 0; row < images * rows; row++) {
      const query = row % rows;
      const first = row - query;
      for (let head = 0; head < heads; head++) {
        const column = head * headWidth;
        let max = Number.NEGATIVE_INFINITY;
        for (let key = 0; key < rows; key++) {
          const kAt = (first + key) * 3 * width + width + column;
          const product = dot(qkv, qkv, row * 3 * width + column, kAt, headWidth);
          const score = scale * product + bias[(head * rows + query) * rows + key]!;
          weights[key] = score;
          // Written so that a NaN score appears in the result.
          if (!(score <= max)) max = score;
        }
        let denominator = 0;
        for (let key = 0; key < rows; key++) {
          weights[key] = Math.exp(weights[key]! - max);
          denominator += weights[key]!;
        }
        sum.fill(0);
        for (let key = 0; key < rows; key++) {
          const vAt = (first + key) * 3 * width + 2 * width + column;
          const weight = weights[key]! / denominator;
          for (let c = 0; c < headWidth; c++) sum[c]! += weight * qkv[vAt + c]!;
        }
        out.set(sum, row * width + column);
      }
    }
  },
  variants: [
    { name: 'workgroup', wgsl: 'biased_attention', covers: 1 },
    { name: 'rows', wgsl: 'biased_attention_rows', covers: 64, needs: 'headWidth == 64' },
    { name: 'quarters', wgsl: 'biased_attention_quarters', covers: 16, needs: 'subgroupSize >= 4, headWidth == 64' },
    { name: 'subgroup', wgsl: 'biased_attention_subgroup', covers: 64, needs: 'subgroupSize >= 8, headWidth == 64' },
  ],
  unit: 'query and head',
  units: ({ images, rows, heads }) => images * rows * heads,
  prefer: (_, software) => (software ? 'subgroup' : 'rows'),
  tuning: ({ attention: { rows, heads, headWidth } }: TuningWork) => [[{ images: 8, rows, heads, headWidth }]],
  flops: ({ images, rows, heads, headWidth }) => 4 * images * rows * rows * heads * headWidth,
  notes: {
    qkv: 'queries, keys and values side by side, in each the heads side by side',
    bias: 'for each head, query and key',
  },
  cases: {
    sizes,
    // `steep`: biases far apart, the largest for a different key of each query.
    variations: { steep: 0 },
    data: (d, { rows = 0, heads = 0, steep }) =>
      steep
        ? {
            bias: d.values(
              Array.from({ length: heads * rows * rows }, (_, i) => STEEP * (((i * 7) % (rows + 1)) / rows - 0.5)),
            ),
          }
        : {},
    suite: [...suite, { ...suite[1], steep: 1 }, { ...suite[6], steep: 1 }],
  },
});
