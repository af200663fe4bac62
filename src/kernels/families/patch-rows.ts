/** Cutting pictures into patches. */
import { kernel, only, reads, writes } from '../definition.js';

/** `grid`: patches of a side, size / patch. */
export const patchRows = kernel({
  name: 'patchRows',
  formula:
    'pictures [batch, 3, size, size] to rows [batch * grid^2, 3 * patch^2] of (channel, y, x), grid = size / patch',
  operands: { pixels: reads('batch 3 size size'), out: writes('batch*grid*grid 3*patch*patch') },
  derived: ({ patch }) => ({ patchSize: patch }),
  twin({ pixels, out, batch, size, patch, grid }) {
    let at = 0;
    for (let picture = 0; picture < batch; picture++) {
      for (let row = 0; row < grid; row++) {
        for (let column = 0; column < grid; column++) {
          for (let channel = 0; channel < 3; channel++) {
            for (let y = 0; y < patch; y++) {
              const from = ((picture * 3 + channel) * size + row * patch + y) * size + column * patch;
              for (let x = 0; x < patch; x++) out[at++] = pixels[from + x]!;
            }
          }
        }
      }
    }
  },
  variants: only('patch_rows'),
  unit: 'element',
  units: ({ batch, size }) => batch * 3 * size * size,
  notes: { out: '(channel, y, x) within a row' },
  cases: {
    sizes: { batch: 32, size: 224, patch: 32 },
    data: (_, { size = 0, patch = 1 }) => ({ grid: size / patch }),
    suite: [
      { batch: 1, size: 4, patch: 4 },
      { batch: 2, size: 6, patch: 3 },
      { batch: 3, size: 35, patch: 7 },
    ],
  },
});
