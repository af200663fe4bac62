/** Images as rows of patches. */
import { checkedAxes } from '../shapes.js';
import type { Tensor } from '../tensor.js';

/** pixels [batch, 3, size, size] to [batch * (size / patch)^2, 3 * patch^2]. Images are data: there is no gradient. */
export function patchRows(pixels: Tensor, patch: number): Tensor {
  const { engine } = pixels;
  if (pixels.vertex) throw new Error('patchRows has no gradient');
  const { batch, size } = checkedAxes('patchRows', { pixels: [pixels, 'batch 3 size size'] });
  const grid = size / patch;
  if (!Number.isInteger(grid))
    throw new Error(
      `patchRows: expected pictures of a whole number of patches of ${patch}, found [${pixels.shape.join(', ')}]`,
    );
  const out = engine.empty([batch * grid * grid, 3 * patch * patch]);
  engine.run('patchRows', { pixels: pixels.buffer, out: out.buffer, batch, size, patch });
  return out;
}
