/** Multi-head attention with its gradient, and with a bias without one. Which row sees which is data: see RowGeometry. */
import { kernels } from '../../kernels/index.js';
import { checkedAxes } from '../shapes.js';
import type { Tensor } from '../tensor.js';

/** Who sees whom, on the device: see kernels/families/attention.ts. */
export interface RowGeometry {
  queries: number;
  keys: number;
  /** Pairs of a query and a key that see each other. */
  pairs?: number;
  /** i32 [queries * 4]. */
  visible: Tensor;
  /** i32 [keys * 2]. */
  seenBy: Tensor;
}

/** The widest head that the kernels support: two columns for each of a workgroup's 64 lanes. */
export const MAX_HEAD_WIDTH = 128;

/** Attention of rows among themselves. qkv [rows, 3 * width] holds queries, keys and values side by side. */
export function selfAttention(qkv: Tensor, rows: RowGeometry, heads: number): Tensor {
  const { visible, seenBy, queries: count } = rows;
  if (rows.keys !== count)
    throw new Error(`selfAttention: expected as many keys as the ${count} queries, found ${rows.keys}`);
  checkedAxes('selfAttention', { qkv: [qkv, 'rows columns'] }, { rows: count });
  const width = qkv.columns / 3;
  const parts = { qOffset: 0, kOffset: width, vOffset: 2 * width };
  const { engine } = qkv;
  const geometry = headGeometry('selfAttention', rows, heads, width);
  const { out, logSumExp } = engine.run(
    kernels.attention,
    { ...geometry, ...parts, q: qkv, k: qkv, v: qkv, visible },
    'selfAttention',
  );
  engine.record(out, [qkv], { qkv, out, logSumExp, visible, seenBy }, (gradOut, saved, { give }) => {
    give(0, () => {
      const grad = engine.empty(saved.qkv.shape);
      const operands = { ...geometry, ...parts, q: saved.qkv, k: saved.qkv, v: saved.qkv };
      const both = incoming(operands, saved, gradOut);
      engine.run(kernels.attentionGradQuery, { ...both, visible: saved.visible, gradQ: grad });
      engine.run(kernels.attentionGradKeyValue, { ...both, seenBy: saved.seenBy, gradKv: grad });
      return grad;
    });
  });
  return out;
}

/**
 * Attention of some rows to all rows. q [queries, width]; kv [keys, 2 * width] holds keys and values side by side. The last
 * block of a tower needs only this: only a few of its rows are read afterwards.
 */
export function crossAttention(q: Tensor, kv: Tensor, rows: RowGeometry, heads: number): Tensor {
  const { engine, columns: width } = q;
  const { visible, seenBy, queries, keys } = rows;
  checkedAxes(
    'crossAttention',
    { q: [q, 'queries width'], kv: [kv, 'keys both'] },
    { queries, keys, width, both: 2 * width },
  );
  const parts = { qOffset: 0, kOffset: 0, vOffset: width };
  const geometry = headGeometry('crossAttention', rows, heads, width);
  const { out, logSumExp } = engine.run(
    kernels.attention,
    { ...geometry, ...parts, q, k: kv, v: kv, visible },
    'crossAttention',
  );
  engine.record(out, [q, kv], { q, kv, out, logSumExp, visible, seenBy }, (gradOut, saved, { give }) => {
    const operands = { ...geometry, ...parts, q: saved.q, k: saved.kv, v: saved.kv };
    const both = incoming(operands, saved, gradOut);
    give(0, () => engine.run(kernels.attentionGradQuery, { ...both, visible: saved.visible }).gradQ);
    give(1, () => engine.run(kernels.attentionGradKeyValue, { ...both, seenBy: saved.seenBy }).gradKv);
  });
  return out;
}

/**
 * Attention of the rows of each image among themselves with an additive bias: softmax(q k^T / sqrt(headWidth) + bias) v in each head, as
 * for relative position biases (Shaw et al., 2018; Bao et al., 2022, BEiT). qkv [images * rows, 3 * width] holds queries, keys and values side
 * by side; bias [heads, rows, rows] is that of query and key, the same for all images. Returns [images * rows, width]. Frozen encoders need no more than
 * that: there is no gradient. Throws Error for shapes that do not fit, and where a gradient would be needed.
 */
export function biasedSelfAttention(qkv: Tensor, bias: Tensor): Tensor {
  const operation = 'biasedSelfAttention';
  if (qkv.vertex || bias.vertex) throw new Error(`${operation} has no gradient`);
  const { heads, rows } = checkedAxes(operation, { bias: [bias, 'heads rows rows'] });
  checkedAxes(operation, { qkv: [qkv, 'images*rows columns'] });
  const images = qkv.rows / rows;
  if (!Number.isInteger(images))
    throw new Error(`${operation}: expected whole images of ${rows} rows, found ${qkv.rows} rows`);
  const headWidth = checkedHeadWidth(operation, heads, qkv.columns / 3);
  return qkv.engine.run(kernels.biasedAttention, { qkv, bias, images, headWidth }, operation).out;
}

function headGeometry(
  operation: string,
  { queries, keys, pairs = 0, visible, seenBy }: RowGeometry,
  heads: number,
  width: number,
) {
  const headWidth = checkedHeadWidth(operation, heads, width);
  const tensors = { visible: [visible, 'ranges'], seenBy: [seenBy, 'readers'] } as const;
  checkedAxes(operation, tensors, { ranges: 4 * queries, readers: 2 * keys });
  return { pairs, heads, headWidth };
}

function checkedHeadWidth(operation: string, heads: number, width: number): number {
  const headWidth = width / heads;
  if (Number.isInteger(headWidth) && headWidth <= MAX_HEAD_WIDTH) return headWidth;
  throw new Error(
    `${operation}: expected heads of a whole number of columns, at most ${MAX_HEAD_WIDTH}, found ${heads} heads over width ${width}`,
  );
}

/** What both gradients need: the incoming one, and its dot product with each head of the output. */
function incoming<T extends { heads: number; headWidth: number }>(
  operands: T,
  { out, logSumExp }: { out: Tensor; logSumExp: Tensor },
  gradOut: Tensor,
) {
  const { engine } = gradOut;
  const byHead = [out.rows * operands.heads, operands.headWidth];
  const { out: delta } = engine.run(kernels.groupDot, { a: gradOut.reshape(byHead), b: out.reshape(byHead), scale: 1 });
  return { ...operands, logSumExp, delta: delta.reshape(logSumExp.shape), gradOut };
}
