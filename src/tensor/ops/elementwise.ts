/** A scale, a shift and a sum, next to their gradients: what the method and the tape need. arithmetic.ts has the general operations. */
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
