/** Images that nearly repeat one of another split: scaled, cropped, compressed again. Hashes of files do not find them, features do. */
import { type Engine, matmul } from '../tensor/index.js';

/** An image and the most similar one of the groups before its own. */
export interface NearestImage {
  /** Its group, and its place there. */
  readonly group: number;
  readonly image: number;
  readonly nearest: { readonly group: number; readonly image: number };
  /** Cosine of the features. */
  readonly similarity: number;
}

/** So many images are compared with as many at a time. */
const MOST_AT_ONCE = 2048;

/**
 * Of each image the most similar one of all groups before its own, if the cosine is at least `least`; the most similar pairs first, equal ones in
 * their order. `groups`: normalised features [images, width] of each. `isSame`: pairs that are passed over. `memory` in bytes, beside the features.
 */
export async function nearestBefore(
  engine: Engine,
  groups: readonly Float32Array[],
  width: number,
  {
    least,
    memory,
    isSame = () => false,
    onImages = () => {},
  }: {
    least: number;
    memory: number;
    isSame?: (a: NearestImage['nearest'], b: NearestImage['nearest']) => boolean;
    /** Called with the number of images that are done since the last call. */
    onImages?: (images: number) => void;
  },
): Promise<NearestImage[]> {
  using _limit = engine.workWithin(memory);
  // Two blocks of features, and their cosines on the device and read back.
  const fit = Math.floor(Math.sqrt(width ** 2 + memory / 12) - width);
  const size = Math.max(1, Math.min(MOST_AT_ONCE, fit));
  const found: NearestImage[] = [];
  for (const [group, features] of groups.entries()) {
    if (group === 0) {
      onImages(features.length / width);
      continue;
    }
    for (const [start, block] of blocksOf(features, width, size)) {
      const best: (Omit<NearestImage, 'group' | 'image'> | undefined)[] = new Array(block.length / width).fill(
        undefined,
      );
      for (const [before, others] of groups.slice(0, group).entries()) {
        for (const [first, other] of blocksOf(others, width, size)) {
          const columns = other.length / width;
          using product = engine.scope(() =>
            matmul(engine.tensor(block, [best.length, width]), engine.tensor(other, [columns, width]), {
              transposeB: true,
            }),
          );
          const cosines = await product.read();
          for (let k = 0; k < cosines.length; k++) {
            const similarity = cosines[k]!;
            const row = Math.floor(k / columns);
            if (!(similarity >= least) || similarity <= (best[row]?.similarity ?? Number.NEGATIVE_INFINITY)) continue;
            const nearest = { group: before, image: first + (k % columns) };
            if (!isSame({ group, image: start + row }, nearest)) best[row] = { nearest, similarity };
          }
        }
      }
      for (const [row, one] of best.entries()) if (one) found.push({ group, image: start + row, ...one });
      onImages(best.length);
    }
  }
  return found.sort((a, b) => b.similarity - a.similarity || a.group - b.group || a.image - b.image);
}

/** Blocks of rows, each with the place of its first row. */
function* blocksOf(rows: Float32Array, width: number, size: number): Generator<[start: number, block: Float32Array]> {
  for (let start = 0; start * width < rows.length; start += size)
    yield [start, rows.subarray(start * width, (start + size) * width)];
}
