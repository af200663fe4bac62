/** Decoding every image of a data set, to find those that training would skip. */
import { clipPreprocessing } from '../../clip/image/index.js';
import { InputError } from '../../errors.js';
import { ImageDecoders } from '../image-decoders.js';
import { readImageFile, type SkippedImage } from '../image-files.js';
import { hardwareThreads } from '../wasm-threads.js';

/** What the paper's model takes. Nothing here depends on it but the time. */
const PREPROCESSING = clipPreprocessing(224);

/** Images under way for each thread: one being decoded, one read. */
const AHEAD = 2;

/**
 * Decodes images on all cores, as encoding does, and returns those that cannot be read, in the order of `paths`. `onImage` hears of each
 * one done.
 */
export async function unreadableImages(
  paths: readonly string[],
  onImage: (unreadable: boolean) => void = () => {},
): Promise<SkippedImage[]> {
  const threads = hardwareThreads();
  using decoders = new ImageDecoders(threads);
  const found = new Map<number, SkippedImage>();
  let next = 0;
  const work = async () => {
    for (let index = next++; index < paths.length; index = next++) {
      const path = paths[index]!;
      try {
        await decoders.decode(await readImageFile(path), path, PREPROCESSING);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        found.set(index, { path, reason: error.message });
      }
      onImage(found.has(index));
    }
  };
  await Promise.all(Array.from({ length: AHEAD * threads }, work));
  return [...found].sort(([a], [b]) => a - b).map(([, image]) => image);
}
