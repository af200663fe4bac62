/** Which convolutions are computed by Winograd's F(2x2, 3x3), how they are cut into tasks, and described to the compiled code. */
import type { CpuHeap } from './heap.js';
import { type Tile, writeWinogradJob } from './layout.generated.js';
import type { HeapMatmulArgs, Windows } from './matmul-job.js';

/** A convolution with its windows. */
export type HeapConvolutionArgs = HeapMatmulArgs & { readonly windows: Windows };

/** Channels of images and of the result from which the transforms cost less than they save. */
const LEAST_CHANNELS = 32;

/** Channels times results up to which the transformed weights are made: they take 64 bytes for each, 64 MiB in all. */
const MOST_WEIGHTS = 2 ** 20;

/**
 * Whether a convolution is computed so. Depends on the layer alone, not on the number or size of images, so that an image's bits are the same
 * in any batch.
 */
export function bySquares(args: HeapMatmulArgs): args is HeapConvolutionArgs {
  const { n, halfB, windows } = args;
  if (!windows || halfB || windows.window !== 3 || windows.stride !== 1) return false;
  const { channels } = windows;
  return channels % 4 === 0 && n % 4 === 0 && Math.min(channels, n) >= LEAST_CHANNELS && channels * n <= MOST_WEIGHTS;
}

/** Squares of 2 x 2 results that a task computes: a multiple of both tiles' rows. */
const TASK_SQUARES = 30;

/** How the work is divided, and the memory that it takes. */
export interface Squares {
  down: number;
  across: number;
  all: number;
  /** Bytes of the transformed weights. */
  packedBytes: number;
  /** Where a thread's transformed pixels and sums begin in its memory, and how much that is. */
  pixelsAt: number;
  sumsAt: number;
  slotBytes: number;
}

export function squaresOf({ n, windows }: HeapConvolutionArgs, tile: Tile): Squares {
  const { images, outHeight, outWidth, channels } = windows;
  const [down, across] = [Math.ceil(outHeight / 2), Math.ceil(outWidth / 2)];
  const columns = Math.ceil(n / tile.columns) * tile.columns;
  // First the addresses of 16 pixels, then zeros for those outside of the image.
  const pixelsAt = 64 + 4 * channels;
  const sumsAt = pixelsAt + 16 * TASK_SQUARES * channels * 4;
  return {
    ...{ down, across, all: images * down * across, packedBytes: 16 * columns * channels * 4, pixelsAt, sumsAt },
    slotBytes: sumsAt + 16 * TASK_SQUARES * columns * 4,
  };
}

/** Writes the job at `address`. */
export function describeSquares(
  heap: CpuHeap,
  address: number,
  args: HeapConvolutionArgs,
  squares: Squares,
  memory: { packedB: number; workspace: number },
): void {
  const { a, b, out, n, bias, residual, relu, windows } = args;
  const { height, width, channels, padding, outHeight, outWidth } = windows;
  const { down, across, all, pixelsAt, sumsAt, slotBytes } = squares;
  writeWinogradJob(heap, address, {
    kind: 'winograd',
    ...{ a, b, out, bias, residual, relu, n, height, width, channels, padding, outHeight, outWidth },
    ...{ squaresDown: down, squaresAcross: across, squares: all, taskSquares: TASK_SQUARES },
    ...{ ...memory, pixelsAt, sumsAt, slotBytes },
  });
}
