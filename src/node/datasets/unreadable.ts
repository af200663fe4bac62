/** Decoding every image of a data set, to find those that training would skip. */
import { clipPreprocessing, type TruncatedImages } from '../../clip/image/index.js';
import { InputError } from '../../errors.js';
import { ImageDecoders } from '../image-decoders.js';
import { readImageFile, type SkippedImage } from '../image-files.js';
import { hardwareThreads } from '../wasm-threads.js';

/** What the paper's model takes. Nothing here depends on it but the time. */
const PREPROCESSING = clipPreprocessing(224);

/** Images under way for each thread: one being decoded, one read. */
const AHEAD = 2;

/** What decoding finds of some images, in their order. */
export interface DecodedImages {
  /** Those that cannot be read. */
  unreadable: SkippedImage[];
  /** Those whose files are cut short and were read so. */
  truncated: string[];
}

/**
 * Decodes images on all cores, as encoding does. `truncated`: how truncated files are read. `onImage` is called after each one.
 */
export async function decodeImages(
  paths: readonly string[],
  truncated: TruncatedImages = 'skip',
  onImage: (unreadable: boolean) => void = () => {},
): Promise<DecodedImages> {
  const threads = hardwareThreads();
  using decoders = new ImageDecoders(threads);
  const found = new Map<number, SkippedImage>();
  const cut = new Set<number>();
  let next = 0;
  const work = async () => {
    for (let index = next++; index < paths.length; index = next++) {
      const path = paths[index]!;
      try {
        const image = await decoders.decode(await readImageFile(path), path, PREPROCESSING, truncated);
        if (image.truncated) cut.add(index);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        found.set(index, { path, reason: error.message });
      }
      onImage(found.has(index));
    }
  };
  await Promise.all(Array.from({ length: AHEAD * threads }, work));
  return {
    unreadable: [...found].sort(([a], [b]) => a - b).map(([, image]) => image),
    truncated: paths.filter((_, index) => cut.has(index)),
  };
}
