/** Small pictures for a page: decoded, cut and encoded anew, so that nothing of the file but its pixels is passed on (no EXIF). */
import { decodeImage, encodeJpeg, preprocess } from '../../clip/image/index.js';
import { InputError } from '../../errors.js';
import { loadImageCodecs } from '../image-codecs.js';
import { readImageFile } from '../image-files.js';

/** Pixels of a side: a page shows them at about 140, on dense screens with more. */
const SIDE = 176;
const QUALITY = 78;

/** The square that CLIP sees of an image, as a `data:` URL; null if there is no readable image. Smaller images are not enlarged. */
export async function thumbnail(path: string): Promise<string | null> {
  try {
    const bytes = await readImageFile(path);
    loadImageCodecs();
    // What a result is of was read so, or is whole.
    const image = await decodeImage(bytes, path, 'read');
    const side = Math.min(SIDE, image.width, image.height);
    const jpeg = await encodeJpeg(preprocess(image, side), side, side, QUALITY);
    return `data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}`;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
