/** Elementwise operations and sums, each next to its gradient. */
import { kernels } from '../../kernels/index.js';
import { requireShape } from '../shapes.js';
import type { Tensor } from '../tensor.js';

/** scale * x + shift. */
export function affine(x: Tensor, scale: number, shift = 0): Tensor {
  const { engine } = x;
  const { out } = engine.run(kernels.affine, { x, scale, shift });
  engine.record(out, [x], {}, (gradOut, _, { give }) => {
    give(0, () => affine(gradOut, scale));
  });
  return out;
}

/** scale * x + y, of equal shapes. */
export function addScaled(x: Tensor, y: Tensor, scale = 1): Tensor {
  requireShape('addScaled', 'y', y, x.shape);
  const { engine } = x;
  const { out } = engine.run(kernels.affine, { x, scale, shift: 0, addend: y }, 'addScaled');
  engine.record(out, [x, y], {}, (gradOut, _, { give }) => {
    give(0, () => (scale === 1 ? gradOut : affine(gradOut, scale)));
    give(1, () => gradOut);
  });
  return out;
}

/** scale times the sum over all axes but the last: [..., n] to [n]. */
export function sumRows(x: Tensor, scale = 1): Tensor {
  const { engine, rows } = x;
  const { out } = engine.run(kernels.sumRows, { x, scale });
  engine.record(out, [x], {}, (gradOut, _, { give }) => {
    give(0, () => engine.run(kernels.broadcastRows, { x: gradOut, scale, rows }).out);
  });
  return out;
}

/** The mean of all elements, a scalar [1]. */
export function mean(x: Tensor): Tensor {
  return sumRows(x.reshape([x.size, 1]), 1 / x.size);
}
