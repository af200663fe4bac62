/**
 * From the bytes of an image file to the pixels that CLIP sees.
 *
 * `formats.ts` lists the formats, `decode.ts` recognises one (`jpeg/`, `png.ts`, `webp.ts`, `gif.ts`, `bmp.ts`), `preprocess.ts` is CLIP's resize, crop and normalisation on top of
 * `resample.ts` and `to-rgb.ts`, which reproduce Pillow to the bit; `encode.ts` writes files. Everything here runs unchanged in
 * a browser; `codecs.ts` says what JPEG and WebP need to be given elsewhere.
 */
export { type CanvasPixels, imageFromCanvas } from './canvas.js';
export { type ImageWasm, setImageWasm, type WasmSource } from './codecs.js';
export { decodeImage } from './decode.js';
export {
  type DecodedImage,
  type ImageMode,
  MOST_PIXELS,
  TRUNCATED_CHOICES,
  type TruncatedImages,
} from './decoded-image.js';
export { encodeJpeg, encodePng } from './encode.js';
export { IMAGE_EXTENSIONS, IMAGE_FORMAT_NAMES, IMAGE_FORMATS, IMAGE_NAME, type ImageFormat } from './formats.js';
export {
  CLIP_MEAN,
  CLIP_STD,
  IMAGENET_MEAN,
  IMAGENET_STD,
  normalizePixels,
  type PixelStatistics,
} from './normalize.js';
export { modelPixels, preprocess } from './preprocess.js';
export {
  checkPreprocessing,
  clipPreprocessing,
  describePreprocessing,
  imageNetPreprocessing,
  type Preprocessing,
  samePreprocessing,
} from './preprocessing.js';
export type { Filter } from './resample.js';
