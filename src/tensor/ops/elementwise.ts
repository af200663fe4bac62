/** Elementwise operations and sums, each next to its gradient. */
import { requireShape } from '../shapes.js';
import type { Tensor } from '../tensor.js';

/** scale * x + shift. */
export function affine(x: Tensor, scale: number, shift = 0): Tensor {
  const { engine } = x;
  const out = engine.empty(x.shape);
  engine.run('affine', { x: x.buffer, scale, shift, out: out.buffer, length: x.size });
  engine.record(out, [x], {}, (gradOut, _, { give }) => {
    give(0, () => affine(gradOut, scale));
  });
  return out;
}

/** scale * x + y, of equal shapes. */
export function addScaled(x: Tensor, y: Tensor, scale = 1): Tensor {
  requireShape('addScaled', 'y', y, x.shape);
  const { engine } = x;
  const out = engine.empty(x.shape);
  engine.run('affine', { x: x.buffer, scale, shift: 0, addend: y.buffer, out: out.buffer, length: x.size });
  engine.record(out, [x, y], {}, (gradOut, _, { give }) => {
    give(0, () => (scale === 1 ? gradOut : affine(gradOut, scale)));
    give(1, () => gradOut);
  });
  return out;
}

/** scale times the sum over all axes but the last: [..., n] to [n]. */
export function sumRows(x: Tensor, scale = 1): Tensor {
  const { engine, rows, columns } = x;
  const out = engine.empty([columns]);
  engine.run('sumRows', { x: x.buffer, scale, out: out.buffer, rows, columns });
  engine.record(out, [x], {}, (gradOut, _, { give }) => {
    give(0, () => {
      const gradX = engine.empty([rows, columns]);
      engine.run('broadcastRows', { x: gradOut.buffer, scale, out: gradX.buffer, rows, columns });
      return gradX;
    });
  });
  return out;
}

/** The mean of all elements, a scalar [1]. */
export function mean(x: Tensor): Tensor {
  return sumRows(x.reshape([x.size, 1]), 1 / x.size);
}
