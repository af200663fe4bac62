/**
 * From the bytes of an image file to the pixels that CLIP takes.
 *
 * `formats.ts` lists the formats, `decode.ts` detects them and calls the decoders (`jpeg/`, `png.ts`, `webp.ts`, `gif.ts`, `bmp.ts`),
 * `preprocess.ts` does CLIP's resize, crop and normalisation with `resample.ts` and `to-rgb.ts`, which reproduce Pillow bit for bit, and
 * `random-view.ts` augments, and `encode.ts` writes files. Outside a browser, JPEG and WebP need their WebAssembly passed in; see `codecs.ts`.
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
  pixelValues,
} from './normalize.js';
export { modelPixels, preprocess } from './preprocess.js';
export {
  checkPreprocessing,
  clipPreprocessing,
  describePreprocessing,
  imageNetPreprocessing,
  type Preprocessing,
  samePreprocessing,
  timmResize,
} from './preprocessing.js';
export { type Crop, randomCrop, randomView } from './random-view.js';
export type { Filter } from './resample.js';
