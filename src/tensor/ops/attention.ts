/** Multi-head attention with its gradient. Which row sees which is data: see RowGeometry. */
import type { AttentionGeometry, HeadsView } from '../../kernels/index.js';
import { checkedAxes } from '../shapes.js';
import type { Tensor } from '../tensor.js';

/** Who sees whom, on the device: see AttentionGeometry in the kernel contract. */
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
  const width = qkv.columns / 3;
  checkedAxes('selfAttention', { qkv: [qkv, 'rows columns'] }, { rows: count });
  const geometry = headGeometry('selfAttention', rows, heads, width);
  const view = (tensor: Tensor, part: number): HeadsView => ({
    buffer: tensor.buffer,
    stride: 3 * width,
    offset: part * width,
  });
  const { engine } = qkv;
  const { out, logSumExp } = forward(geometry, view(qkv, 0), view(qkv, 1), view(qkv, 2), qkv);
  engine.record(out, [qkv], { qkv, out, logSumExp, visible, seenBy }, (gradOut, saved, { give }) => {
    give(0, () => {
      const grad = engine.empty([geometry.keys, 3 * width]);
      const operands = { q: view(saved.qkv, 0), k: view(saved.qkv, 1), v: view(saved.qkv, 2) };
      const both = incoming({ ...geometry, ...operands }, saved, gradOut);
      engine.run('attentionGradQuery', { ...both, gradQ: view(grad, 0) });
      engine.run('attentionGradKeyValue', { ...both, gradK: view(grad, 1), gradV: view(grad, 2) });
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
  const geometry = headGeometry('crossAttention', rows, heads, width);
  const qView = (tensor: Tensor): HeadsView => ({ buffer: tensor.buffer, stride: width, offset: 0 });
  const kvView = (tensor: Tensor, part: number): HeadsView => ({
    buffer: tensor.buffer,
    stride: 2 * width,
    offset: part * width,
  });
  const { out, logSumExp } = forward(geometry, qView(q), kvView(kv, 0), kvView(kv, 1), q);
  engine.record(out, [q, kv], { q, kv, out, logSumExp, visible, seenBy }, (gradOut, saved, { give }) => {
    const operands = { q: qView(saved.q), k: kvView(saved.kv, 0), v: kvView(saved.kv, 1) };
    const both = incoming({ ...geometry, ...operands }, saved, gradOut);
    give(0, () => {
      const gradQ = engine.empty([queries, width]);
      engine.run('attentionGradQuery', { ...both, gradQ: qView(gradQ) });
      return gradQ;
    });
    give(1, () => {
      const gradKv = engine.empty([keys, 2 * width]);
      engine.run('attentionGradKeyValue', { ...both, gradK: kvView(gradKv, 0), gradV: kvView(gradKv, 1) });
      return gradKv;
    });
  });
  return out;
}

function headGeometry(operation: string, rows: RowGeometry, heads: number, width: number): AttentionGeometry {
  const headWidth = width / heads;
  if (!Number.isInteger(headWidth) || headWidth > MAX_HEAD_WIDTH) {
    throw new Error(
      `${operation}: expected heads of a whole number of columns, at most ${MAX_HEAD_WIDTH}, found ${heads} heads over width ${width}`,
    );
  }
  const { queries, keys, pairs, visible, seenBy } = rows;
  const tensors = { visible: [visible, 'ranges'], seenBy: [seenBy, 'readers'] } as const;
  checkedAxes(operation, tensors, { ranges: 4 * queries, readers: 2 * keys });
  return { queries, keys, pairs, heads, headWidth, visible: visible.buffer, seenBy: seenBy.buffer };
}

function forward(geometry: AttentionGeometry, q: HeadsView, k: HeadsView, v: HeadsView, { engine }: Tensor) {
  const { queries, heads, headWidth } = geometry;
  const out = engine.empty([queries, heads * headWidth]);
  const logSumExp = engine.empty([queries, heads]);
  engine.run('attention', { ...geometry, q, k, v, out: out.buffer, logSumExp: logSumExp.buffer });
  return { out, logSumExp };
}

/** What both gradients need: the incoming one, and its dot product with each head of the output. */
function incoming<T extends AttentionGeometry>(
  args: T,
  saved: { out: Tensor; logSumExp: Tensor; visible: Tensor; seenBy: Tensor },
  gradOut: Tensor,
) {
  const { engine } = gradOut;
  const { queries, heads, headWidth } = args;
  const delta = engine.empty([queries, heads]);
  engine.run('groupDot', {
    a: gradOut.buffer,
    b: saved.out.buffer,
    out: delta.buffer,
    groups: queries * heads,
    members: 1,
    width: headWidth,
    scale: 1,
  });
  return {
    ...args,
    visible: saved.visible.buffer,
    seenBy: saved.seenBy.buffer,
    logSumExp: saved.logSumExp.buffer,
    delta: delta.buffer,
    gradOut: gradOut.buffer,
  };
}
