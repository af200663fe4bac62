/** Functions of one number, element by element: those of the table in kernels/families/general/pointwise.ts, each with its gradient. */
import { type PointwiseName, pointwise, pointwiseGrad, pointwiseSaves } from '../../kernels/index.js';
import type { Tensor } from '../tensor.js';

/** max(x, 0); its gradient at 0 is 0. */
export const relu = operation('relu');
/** 1 / (1 + exp(-x)). */
export const sigmoid = operation('sigmoid');
/** The hyperbolic tangent. */
export const tanh = operation('tanh');
/** x times the normal distribution function of x (Hendrycks and Gimpel, 2016), exact, not by tanh. */
export const gelu = operation('gelu');
/** x * sigmoid(1.702 x), which OpenAI's CLIP has in place of `gelu`. */
export const quickGelu = operation('quickGelu');
/** e to the power of x. */
export const exp = operation('exp');
/** The natural logarithm. */
export const log = operation('log');
/** The square root; its gradient at 0 is infinite. */
export const sqrt = operation('sqrt');
/** x * x. */
export const square = operation('square');

function operation(name: PointwiseName): (x: Tensor) => Tensor {
  const kernel = pointwise[name];
  const gradient = pointwiseGrad[name];
  const savesInput = pointwiseSaves(name) === 'x';
  return (x) => {
    const { engine } = x;
    const { out } = engine.run(kernel, { x });
    engine.record(out, [x], { saved: savesInput ? x : out }, (gradOut, { saved }, { give }) => {
      give(0, () => engine.run(gradient, { saved, gradOut }).gradX);
    });
    return out;
  };
}
