/** Images as rows of patches. */
import { kernels } from '../../kernels/index.js';
import { checkedAxes } from '../shapes.js';
import type { Tensor } from '../tensor.js';

/** pixels [batch, 3, size, size] to [batch * (size / patch)^2, 3 * patch^2]. Images are data: there is no gradient. */
export function patchRows(pixels: Tensor, patch: number): Tensor {
  const { engine } = pixels;
  if (pixels.vertex) throw new Error('patchRows has no gradient');
  const { size } = checkedAxes('patchRows', { pixels: [pixels, 'batch 3 size size'] });
  const grid = size / patch;
  if (!Number.isInteger(grid))
    throw new Error(
      `patchRows: expected pictures of a whole number of patches of ${patch}, found [${pixels.shape.join(', ')}]`,
    );
  return engine.run(kernels.patchRows, { pixels, patch, grid }).out;
}
