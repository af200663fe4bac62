/** Multi-head attention with its gradient. Which row sees which is data: see RowGeometry. */
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

function headGeometry(
  operation: string,
  { queries, keys, pairs = 0, visible, seenBy }: RowGeometry,
  heads: number,
  width: number,
) {
  const headWidth = width / heads;
  if (!Number.isInteger(headWidth) || headWidth > MAX_HEAD_WIDTH) {
    throw new Error(
      `${operation}: expected heads of a whole number of columns, at most ${MAX_HEAD_WIDTH}, found ${heads} heads over width ${width}`,
    );
  }
  const tensors = { visible: [visible, 'ranges'], seenBy: [seenBy, 'readers'] } as const;
  checkedAxes(operation, tensors, { ranges: 4 * queries, readers: 2 * keys });
  return { pairs, heads, headWidth };
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
