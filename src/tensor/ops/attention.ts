/** Multi-head attention with its gradient. Which row sees which is data: see RowGeometry. */
import type { AttentionGeometry, HeadsView } from '../../kernels/index.js';
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

/** The widest head that the kernels take: two columns for each of a workgroup's 64 lanes. */
export const MAX_HEAD_WIDTH = 128;

/** Attention of rows among themselves. qkv [rows, 3 * width] holds queries, keys and values side by side. */
export function selfAttention(qkv: Tensor, rows: RowGeometry, heads: number): Tensor {
  const width = qkv.columns / 3;
  const view = (tensor: Tensor, part: number): HeadsView => ({
    buffer: tensor.buffer,
    stride: 3 * width,
    offset: part * width,
  });
  const { engine } = qkv;
  const geometry = headGeometry(rows, heads, width);
  const { out, logSumExp } = forward(geometry, view(qkv, 0), view(qkv, 1), view(qkv, 2), qkv);
  const { visible, seenBy } = rows;
  engine.record(out, [qkv], { qkv, out, logSumExp, visible, seenBy }, (gradOut, saved, { give }) => {
    give(0, () => {
      const grad = engine.empty([geometry.keys, 3 * width]);
      const operands = { q: view(saved.qkv, 0), k: view(saved.qkv, 1), v: view(saved.qkv, 2) };
      const again = { ...headGeometry({ ...rows, ...saved }, heads, width), ...operands };
      backward(again, saved, gradOut, view(grad, 0), view(grad, 1), view(grad, 2));
      return grad;
    });
  });
  return out;
}

/**
 * Attention of some rows to all rows. q [queries, width]; kv [keys, 2 * width] holds keys and values side by side. The last
 * block of a tower needs no more than this: only a few of its rows are read afterwards.
 */
export function crossAttention(q: Tensor, kv: Tensor, rows: RowGeometry, heads: number): Tensor {
  const width = q.columns;
  const { engine } = q;
  const qView = (tensor: Tensor): HeadsView => ({ buffer: tensor.buffer, stride: width, offset: 0 });
  const kvView = (tensor: Tensor, part: number): HeadsView => ({
    buffer: tensor.buffer,
    stride: 2 * width,
    offset: part * width,
  });
  const geometry = headGeometry(rows, heads, width);
  const { out, logSumExp } = forward(geometry, qView(q), kvView(kv, 0), kvView(kv, 1), q);
  const { visible, seenBy } = rows;
  engine.record(out, [q, kv], { q, kv, out, logSumExp, visible, seenBy }, (gradOut, saved, { give }) => {
    const gradQ = engine.empty([geometry.queries, width]);
    const gradKv = engine.empty([geometry.keys, 2 * width]);
    const operands = { q: qView(saved.q), k: kvView(saved.kv, 0), v: kvView(saved.kv, 1) };
    const again = { ...headGeometry({ ...rows, ...saved }, heads, width), ...operands };
    backward(again, saved, gradOut, qView(gradQ), kvView(gradKv, 0), kvView(gradKv, 1));
    give(0, () => gradQ);
    give(1, () => gradKv);
  });
  return out;
}

function headGeometry(rows: RowGeometry, heads: number, width: number): AttentionGeometry {
  const headWidth = width / heads;
  if (!Number.isInteger(headWidth) || headWidth > MAX_HEAD_WIDTH) {
    throw new Error(
      `${heads} heads over width ${width}: a head must be a whole number of columns, at most ${MAX_HEAD_WIDTH}`,
    );
  }
  const { queries, keys, pairs } = rows;
  return { queries, keys, pairs, heads, headWidth, visible: rows.visible.buffer, seenBy: rows.seenBy.buffer };
}

function forward(geometry: AttentionGeometry, q: HeadsView, k: HeadsView, v: HeadsView, { engine }: Tensor) {
  const { queries, heads, headWidth } = geometry;
  const out = engine.empty([queries, heads * headWidth]);
  const logSumExp = engine.empty([queries, heads]);
  engine.run('attention', { ...geometry, q, k, v, out: out.buffer, logSumExp: logSumExp.buffer });
  return { out, logSumExp };
}

function backward(
  args: AttentionGeometry & { q: HeadsView; k: HeadsView; v: HeadsView },
  saved: { out: Tensor; logSumExp: Tensor },
  gradOut: Tensor,
  gradQ: HeadsView,
  gradK: HeadsView,
  gradV: HeadsView,
): void {
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
  const both = { ...args, logSumExp: saved.logSumExp.buffer, delta: delta.buffer, gradOut: gradOut.buffer };
  engine.run('attentionGradQuery', { ...both, gradQ });
  engine.run('attentionGradKeyValue', { ...both, gradK, gradV });
}
