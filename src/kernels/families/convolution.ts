/**
 * Convolution of images that lie as rows of channels, one row for each pixel: a product of what windows see with the weight. The matrix of what they
 * see, which would be as many times as large as the images as a window has pixels, is never stored: tiles and panels of it are read from the images.
 */
import {
  type ArgsOf,
  kernel,
  optional,
  reads,
  readsWeights,
  type TwinArgs,
  type Variant,
  writes,
} from '../definition.js';
import { blocksFor } from './matmul.js';

const operands = {
  a: reads('images*height*width channels'),
  b: readsWeights('n window*window*channels'),
  bias: optional(reads('n')),
  residual: optional(reads('images*outHeight*outWidth n')),
  out: writes('images*outHeight*outWidth n'),
} as const;
const scalars = { stride: 1, padding: 1 };
const options = { relu: 0 };

type ConvolutionDeclaration = { operands: typeof operands; scalars: typeof scalars; options: typeof options };
type ConvolutionArgs = ArgsOf<ConvolutionDeclaration>;

/** Windows that fit along a side of `length`, with `padding` at both ends. */
export function windowsAlong(length: number, window: number, stride: number, padding: number): number {
  return Math.floor((length + 2 * padding - window) / stride) + 1;
}

/** The product's sizes. */
function productOf({ images, outHeight, outWidth, window, channels }: ConvolutionArgs): { m: number; k: number } {
  return { m: images * outHeight * outWidth, k: window * window * channels };
}

function blocks(rows: number, columns: number): Variant {
  return {
    name: `blocks${rows}x${columns}`,
    wgsl: 'convolution_blocks',
    covers: [rows, columns],
    constants: { tileRows: rows, tileColumns: columns, slice: 16, parts: 1 },
    needs: 'n % 4 == 0, channels % 4 == 0',
    instead: 'plain',
    sums: 'in order',
  };
}

/** One image, alone and of several: sizes, window, stride and padding. */
const suite = [
  // A window as large as the image, one pixel, and a window larger than the image, which sees padding on all sides.
  { images: 1, height: 3, width: 3, channels: 1, n: 1, window: 3, padding: 0 },
  { images: 2, height: 1, width: 1, channels: 5, n: 3, window: 1, padding: 0 },
  { images: 1, height: 2, width: 1, channels: 4, n: 8, window: 5, padding: 3 },
  // First layers: three channels, the windows and strides of AlexNet and ResNet.
  { images: 2, height: 23, width: 19, channels: 3, n: 7, window: 11, stride: 4, padding: 2 },
  { images: 1, height: 17, width: 15, channels: 3, n: 64, window: 7, stride: 2, padding: 3 },
  { images: 3, height: 9, width: 11, channels: 3, n: 20, window: 3 },
  // The stride larger than the window, so that some pixels are seen by none.
  { images: 2, height: 13, width: 9, channels: 8, n: 16, window: 1, stride: 2, padding: 0 },
  { images: 1, height: 11, width: 12, channels: 6, n: 9, window: 2, stride: 5, padding: 1 },
  // Tiles' edges along all three sides of the product, and several blocks of k.
  { images: 2, height: 7, width: 7, channels: 64, n: 72, window: 3 },
  { images: 5, height: 5, width: 6, channels: 12, n: 68, window: 3, stride: 2 },
  { images: 1, height: 14, width: 14, channels: 48, n: 24, window: 3 },
  { images: 1, height: 6, width: 6, channels: 24, n: 40, window: 5, padding: 2 },
  { images: 1, height: 12, width: 11, channels: 8, n: 264, window: 3 },
  // Squares of 2 x 2 windows, by which WebAssembly computes them: odd and even sizes, images of less than a square, more channels than one panel holds.
  { images: 3, height: 6, width: 7, channels: 32, n: 36, window: 3, padding: 0 },
  { images: 9, height: 1, width: 2, channels: 36, n: 32, window: 3 },
  { images: 1, height: 5, width: 4, channels: 260, n: 40, window: 3, padding: 2 },
  { images: 1, height: 24, width: 25, channels: 32, n: 32, window: 3 },
];

export const convolution = kernel({
  name: 'convolution',
  formula:
    "out = relu(windows(a) . b' + bias + residual), windows(a) [images * outHeight * outWidth, window^2 * channels]: what each window sees, 0 outside of its image",
  operands,
  scalars,
  options,
  derived: productOf,
  twin: convolve,
  variants: [
    { name: 'plain', wgsl: 'convolution_plain', covers: [64, 64], sums: 'in order' },
    blocks(32, 32),
    blocks(64, 64),
    blocks(128, 64),
    {
      name: 'subgroup',
      wgsl: 'convolution_subgroup',
      covers: [32, 256],
      needs: 'subgroupSize >= 8, n % 8 == 0, channels % 8 == 0',
      instead: 'plain',
    },
  ],
  unit: 'element',
  units: (args) => [productOf(args).m, args.n],
  prefer: (args, software) => (software ? 'subgroup' : blocksFor({ m: productOf(args).m, n: args.n })),
  flops: (args) => 2 * productOf(args).m * productOf(args).k * args.n,
  shapeOf: ({ height, width, channels, n, window, stride }) =>
    `${height}x${width}x${channels} to ${n}, window ${window}, stride ${stride}`,
  notes: {
    a: 'a row for each pixel, in the order (image, y, x)',
    b: '(y, x, channel) within a row; in single precision, or as halves two per word, the first in the low bits',
    out: 'a row for each window, in the order (image, y, x)',
  },
  cases: {
    sizes: { images: 4, height: 28, width: 28, channels: 128, n: 128, window: 3 },
    data: (_, { height = 0, width = 0, window = 0, stride = 1, padding = 0 }) => ({
      outHeight: windowsAlong(height, window, stride, padding),
      outWidth: windowsAlong(width, window, stride, padding),
    }),
    suite: [
      ...suite,
      ...suite.flatMap((sizes) => [
        { ...sizes, bias: 1, relu: 1 },
        { ...sizes, bias: 1, residual: 1, relu: 1, half: 1 },
      ]),
      { ...suite.at(-1), bias: 1 },
    ],
  },
});

/** Window by window, of which what lies outside of the image is left out; then bias, residual and ReLU. */
function convolve(args: TwinArgs<ConvolutionDeclaration>): void {
  const { a, b, bias, residual, out, images, height, width, channels, n } = args;
  const { window, stride, padding, outHeight, outWidth, relu } = args;
  let at = 0;
  for (let image = 0; image < images; image++) {
    for (let outY = 0; outY < outHeight; outY++) {
      for (let outX = 0; outX < outWidth; outX++) {
        for (let j = 0; j < n; j++, at++) {
          let sum = 0;
          for (let y = 0; y < window; y++) {
            const seenY = outY * stride - padding + y;
            if (seenY < 0 || seenY >= height) continue;
            for (let x = 0; x < window; x++) {
              const seenX = outX * stride - padding + x;
              if (seenX < 0 || seenX >= width) continue;
              const pixel = ((image * height + seenY) * width + seenX) * channels;
              const weight = ((j * window + y) * window + x) * channels;
              for (let c = 0; c < channels; c++) sum += a[pixel + c]! * b[weight + c]!;
            }
          }
          if (bias) sum += bias[j]!;
          if (residual) sum += residual[at]!;
          out[at] = relu && sum < 0 ? 0 : sum;
        }
      }
    }
  }
}
