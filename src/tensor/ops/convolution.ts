/** Convolution and pooling of images [images, height, width, channels], for frozen networks: there are no gradients. */
import { kernels, windowsAlong } from '../../kernels/index.js';
import { checkedAxes } from '../shapes.js';
import type { Tensor } from '../tensor.js';
import { linear } from './linear.js';

/** How square windows lie over an image. */
export interface WindowOptions {
  /** Rows and columns of a window. */
  readonly window: number;
  /** From one window to the next, down and across. Default 1. */
  readonly stride?: number | undefined;
  /** Pixels by which windows reach over every edge; fewer than a window has. Default 0. */
  readonly padding?: number | undefined;
}

export interface ConvolutionOptions extends WindowOptions {
  /** Added to the result, of its shape. */
  readonly residual?: Tensor | undefined;
  /** Whether what is negative in the end becomes 0. */
  readonly relu?: boolean | undefined;
}

/**
 * images [images, height, width, channels] to [images, outHeight, outWidth, n]. weight [n, window * window * channels], (y, x, channel) within a row;
 * bias [n]. Pixels outside of an image are 0. Throws Error if shapes do not fit or something is differentiated.
 */
export function convolution(
  images: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  { residual, relu = false, ...windows }: ConvolutionOptions,
): Tensor {
  const { engine } = images;
  refuseGradient('convolution', images, weight, bias, residual);
  const { window, stride, padding, sizes } = layOut('convolution', images, windows);
  const { images: count, outHeight, outWidth, channels } = sizes;
  checkedAxes('convolution', { weight: [weight, 'n k'], bias: [bias, 'n'] }, { k: window * window * channels });
  checkedAxes(
    'convolution',
    { residual: [residual, 'images outHeight outWidth n'] },
    { images: count, outHeight, outWidth, n: weight.rows },
  );
  // One pixel sees itself alone: a linear layer, for which more variants are tuned.
  if (window === 1 && stride === 1 && padding === 0) return linear(images, weight, bias, { residual, relu });
  const { out } = engine.run(kernels.convolution, {
    a: rowsOf(images),
    b: weight,
    bias,
    residual: residual && rowsOf(residual),
    ...sizes,
    window,
    stride,
    padding,
    relu,
  });
  return out.reshape([count, outHeight, outWidth, weight.rows]);
}

/** The largest of each channel in every window; images [images, height, width, channels] to [images, outHeight, outWidth, channels]. */
export function maxPool(images: Tensor, windows: WindowOptions): Tensor {
  refuseGradient('maxPool', images);
  const { sizes, ...placed } = layOut('maxPool', images, windows);
  const { out } = images.engine.run(kernels.maxPool, { x: rowsOf(images), ...sizes, ...placed });
  return out.reshape([sizes.images, sizes.outHeight, sizes.outWidth, sizes.channels]);
}

/**
 * The mean of each channel in outHeight x outWidth cells, whose edges are rounded outwards: images [images, height, width, channels] to
 * [images, outHeight, outWidth, channels]. One cell is the mean of all pixels.
 */
export function averagePool(images: Tensor, [outHeight, outWidth]: readonly [number, number]): Tensor {
  refuseGradient('averagePool', images);
  const sizes = checkedAxes('averagePool', { images: [images, 'images height width channels'] });
  const { out } = images.engine.run(kernels.averagePool, { x: rowsOf(images), ...sizes, outHeight, outWidth });
  return out.reshape([sizes.images, outHeight, outWidth, sizes.channels]);
}

function layOut(operation: string, images: Tensor, { window, stride = 1, padding = 0 }: WindowOptions) {
  const axes = checkedAxes(operation, { images: [images, 'images height width channels'] });
  const whole = [window, stride, padding].every(Number.isInteger);
  if (!whole || window < 1 || stride < 1 || padding < 0 || padding >= window)
    throw new Error(
      `${operation}: expected a window and a stride of 1 or more and less padding than the window has, found ${window}, ${stride} and ${padding}`,
    );
  const outHeight = windowsAlong(axes.height, window, stride, padding);
  const outWidth = windowsAlong(axes.width, window, stride, padding);
  if (outHeight < 1 || outWidth < 1)
    throw new Error(
      `${operation}: no window of ${window} fits images of ${axes.height} x ${axes.width} with a padding of ${padding}`,
    );
  return { window, stride, padding, sizes: { ...axes, outHeight, outWidth } };
}

/** [images, height, width, channels] as a row for each pixel. */
function rowsOf(images: Tensor): Tensor {
  return images.reshape([images.size / images.columns, images.columns]);
}

function refuseGradient(operation: string, ...inputs: readonly (Tensor | undefined)[]): void {
  if (inputs.some((input) => input?.vertex)) throw new Error(`${operation} has no gradient`);
}
