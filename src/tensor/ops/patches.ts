/** Pictures as rows of patches. */
import { kernels } from '../../kernels/index.js';
import { checkedAxes } from '../shapes.js';
import type { Tensor } from '../tensor.js';

/** pixels [batch, 3, size, size] to [batch * (size / patch)^2, 3 * patch^2]. Images are data: there is no gradient. */
export function patchRows(pixels: Tensor, patch: number): Tensor {
  const { engine } = pixels;
  if (pixels.vertex) throw new Error('patchRows has no gradient');
  const { size } = checkedAxes('patchRows', { pixels: [pixels, 'batch 3 size size'] });
  const grid = patchesAcross('patchRows', pixels, size, patch);
  return engine.run(kernels.patchRows, { pixels, patch, grid }).out;
}

/**
 * The same of pictures [batch, size, size] whose whole numbers are pixels: red in the lowest byte, then green, then blue. `values` [3, 256]:
 * what a byte of each channel stands for.
 */
export function patchBytes(pictures: Tensor, values: Tensor, patch: number): Tensor {
  const { engine } = pictures;
  const { size } = checkedAxes('patchBytes', { pictures: [pictures, 'batch size size'], values: [values, '3 256'] });
  const grid = patchesAcross('patchBytes', pictures, size, patch);
  return engine.run(kernels.patchBytes, { pictures, values, patch, grid }).out;
}

function patchesAcross(operation: string, { shape }: Tensor, size: number, patch: number): number {
  const grid = size / patch;
  if (Number.isInteger(grid)) return grid;
  throw new Error(
    `${operation}: expected pictures of a whole number of patches of ${patch}, found [${shape.join(', ')}]`,
  );
}
