/** Pooling of images that lie as rows of channels, one row for each pixel (see convolution.ts). */
import { type ArgsOf, ELEMENTWISE, kernel, reads, type Variant, writes } from '../definition.js';
import { windowsAlong } from './convolution.js';

const operands = {
  x: reads('images*height*width channels'),
  out: writes('images*outHeight*outWidth channels'),
} as const;

const notes = {
  x: 'a row for each pixel, in the order (image, y, x)',
  out: 'a row for each window, in the order (image, y, x)',
};

/** An element at a time, or four channels. */
function variants(wgsl: string): readonly [Variant, Variant] {
  return [
    { name: 'one', wgsl, covers: ELEMENTWISE },
    { name: 'four', wgsl: `${wgsl}_quads`, covers: 4 * ELEMENTWISE, needs: 'channels % 4 == 0' },
  ];
}

type PoolArgs = ArgsOf<{ operands: typeof operands; scalars: Record<never, never>; options: Record<never, never> }>;

const common = {
  unit: 'element',
  units: ({ images, outHeight, outWidth, channels }: PoolArgs) => images * outHeight * outWidth * channels,
  prefer: () => 'four',
  classOf: ({ channels }: PoolArgs) => (channels % 4 === 0 ? 'quads' : 'other'),
  notes,
} as const;

export const maxPool = kernel({
  name: 'maxPool',
  formula: 'out = the largest x of each channel in a window of an image; nothing outside of the image counts',
  operands,
  scalars: { window: 3, stride: 2, padding: 1 },
  twin({ x, out, images, height, width, channels, window, stride, padding, outHeight, outWidth }) {
    let at = 0;
    for (let image = 0; image < images; image++) {
      for (let outY = 0; outY < outHeight; outY++) {
        for (let outX = 0; outX < outWidth; outX++) {
          const firstY = Math.max(0, outY * stride - padding);
          const firstX = Math.max(0, outX * stride - padding);
          const endY = Math.min(height, outY * stride - padding + window);
          const endX = Math.min(width, outX * stride - padding + window);
          for (let c = 0; c < channels; c++) {
            let largest = Number.NEGATIVE_INFINITY;
            for (let y = firstY; y < endY; y++) {
              for (let column = firstX; column < endX; column++) {
                largest = Math.max(largest, x[((image * height + y) * width + column) * channels + c]!);
              }
            }
            out[at++] = largest;
          }
        }
      }
    }
  },
  variants: variants('max_pool'),
  ...common,
  cases: {
    sizes: { images: 4, height: 112, width: 112, channels: 64 },
    // Infinities, which a made-up smallest number would hide.
    variations: { infinite: 0 },
    data: (d, { images = 0, height = 0, width = 0, channels = 0, window = 1, stride = 1, padding = 0, infinite }) => ({
      outHeight: windowsAlong(height, window, stride, padding),
      outWidth: windowsAlong(width, window, stride, padding),
      ...(infinite && { x: d.values(new Float32Array(images * height * width * channels).fill(-Infinity)) }),
    }),
    suite: [
      { images: 1, height: 1, width: 1, channels: 1, window: 1, stride: 1, padding: 0 },
      { images: 2, height: 2, width: 3, channels: 5, window: 2, stride: 2, padding: 0 },
      { images: 3, height: 13, width: 11, channels: 7 },
      { images: 1, height: 17, width: 15, channels: 68 },
      { images: 2, height: 55, width: 53, channels: 4, padding: 0 },
      // The stride larger than the window, and the window larger than the image.
      { images: 2, height: 9, width: 10, channels: 8, window: 2, stride: 3, padding: 0 },
      { images: 1, height: 2, width: 1, channels: 12, window: 5, stride: 1, padding: 2 },
      { images: 1, height: 4, width: 3, channels: 3, infinite: 1 },
      { images: 1, height: 4, width: 3, channels: 4, infinite: 1 },
    ],
  },
});

export const averagePool = kernel({
  name: 'averagePool',
  formula:
    'out = the mean of x of each channel in cell (i, j) of an image: rows floor(i height / outHeight) to ceil((i + 1) height / outHeight) - 1, columns likewise',
  operands,
  twin({ x, out, images, height, width, channels, outHeight, outWidth }) {
    let at = 0;
    for (let image = 0; image < images; image++) {
      for (let i = 0; i < outHeight; i++) {
        const firstY = Math.floor((i * height) / outHeight);
        const endY = Math.ceil(((i + 1) * height) / outHeight);
        for (let j = 0; j < outWidth; j++) {
          const firstX = Math.floor((j * width) / outWidth);
          const endX = Math.ceil(((j + 1) * width) / outWidth);
          for (let c = 0; c < channels; c++) {
            let sum = 0;
            for (let y = firstY; y < endY; y++) {
              for (let column = firstX; column < endX; column++) {
                sum += x[((image * height + y) * width + column) * channels + c]!;
              }
            }
            out[at++] = sum / ((endY - firstY) * (endX - firstX));
          }
        }
      }
    }
  },
  variants: variants('average_pool'),
  ...common,
  cases: {
    sizes: { images: 4, height: 7, width: 7, channels: 2048, outHeight: 1, outWidth: 1 },
    suite: [
      { images: 1, height: 1, width: 1, channels: 1 },
      { images: 3, height: 7, width: 5, channels: 67 },
      { images: 2, height: 7, width: 7, channels: 260 },
      // A mean over rows, as of a transformer's tokens.
      { images: 3, height: 1, width: 196, channels: 24 },
      // Cells that overlap, cells of one size, as many cells as pixels, and more.
      { images: 2, height: 13, width: 11, channels: 5, outHeight: 6, outWidth: 4 },
      { images: 1, height: 12, width: 14, channels: 12, outHeight: 6, outWidth: 7 },
      { images: 2, height: 6, width: 6, channels: 24, outHeight: 6, outWidth: 6 },
      { images: 1, height: 3, width: 2, channels: 4, outHeight: 7, outWidth: 7 },
    ],
  },
});
