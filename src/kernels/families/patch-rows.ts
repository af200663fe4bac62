/** Cutting pictures into patches, the rows of a matrix. */
import { ELEMENTWISE, kernel, only, reads, readsIndices, writes } from '../definition.js';

const out = writes('batch*grid*grid 3*patch*patch');
const derived = ({ patch }: { readonly patch: number }) => ({ patchSize: patch });
const suite = [
  { batch: 1, size: 4, patch: 4 },
  { batch: 2, size: 6, patch: 3 },
  { batch: 3, size: 35, patch: 7 },
];
const sizes = { batch: 32, size: 224, patch: 32 };

/** `grid`: patches of a side, size / patch. */
export const patchRows = kernel({
  name: 'patchRows',
  formula:
    'pictures [batch, 3, size, size] to rows [batch * grid^2, 3 * patch^2] of (channel, y, x), grid = size / patch',
  operands: { pixels: reads('batch 3 size size'), out },
  derived,
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
  variants: only('patch_rows', ELEMENTWISE),
  unit: 'element',
  units: ({ batch, size }) => batch * 3 * size * size,
  notes: { out: '(channel, y, x) within a row' },
  cases: {
    sizes,
    data: (_, { size = 0, patch = 1 }) => ({ grid: size / patch }),
    suite,
  },
});

/**
 * The same of pictures as they are decoded, at a third of the size: a whole number is a pixel, red in its lowest byte, then green and blue; the
 * highest byte is not used. `values[channel][byte]` is the number that a byte stands for.
 */
export const patchBytes = kernel({
  name: 'patchBytes',
  formula: 'out = values[channel][byte of the picture], in rows of patches (channel, y, x) like patchRows',
  operands: { pictures: readsIndices('batch size size'), values: reads('3 256'), out },
  derived,
  // By the pixels as they lie, each read once.
  twin({ pictures, values, out, batch, size, patch, grid }) {
    const area = patch * patch;
    let from = 0;
    for (let line = 0; line < batch * size; line++) {
      const first = Math.floor(line / patch) * grid * 3 * area + (line % patch) * patch;
      for (let column = 0; column < grid; column++) {
        let at = first + column * 3 * area;
        for (let x = 0; x < patch; x++, at++) {
          const pixel = pictures[from++]!;
          out[at] = values[pixel & 255]!;
          out[at + area] = values[256 + ((pixel >> 8) & 255)]!;
          out[at + 2 * area] = values[512 + ((pixel >> 16) & 255)]!;
        }
      }
    }
  },
  variants: only('patch_bytes', ELEMENTWISE),
  unit: 'element',
  units: ({ batch, size }) => batch * 3 * size * size,
  notes: {
    pictures: 'a pixel each: red in the lowest byte, then green, then blue',
    values: 'what a byte of a channel stands for',
    out: '(channel, y, x) within a row',
  },
  cases: {
    sizes,
    data: (d, { batch = 0, size = 0, patch = 1 }) => ({
      grid: size / patch,
      // The multiplier is odd and large, so that all four bytes vary; some numbers are negative.
      pictures: d.ints(Array.from({ length: batch * size * size }, (_, i) => Math.imul(i + 1, 0x9e3779b1))),
    }),
    suite,
  },
});
