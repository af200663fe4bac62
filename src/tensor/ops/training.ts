/** What only training needs. */
import { requireShape } from '../shapes.js';
import type { Tensor } from '../tensor.js';
import { mul, sub } from './arithmetic.js';
import { square } from './pointwise.js';
import { mean } from './reduce.js';

/** The mean of (prediction - target)^2 over all elements, a scalar [1]. Throws Error if the shapes differ. */
export function meanSquaredError(prediction: Tensor, target: Tensor): Tensor {
  requireShape('meanSquaredError', 'target', target, prediction.shape);
  return prediction.engine.scope(() => mean(square(sub(prediction, target))));
}

/**
 * Each element 0 with probability `rate`, else divided by 1 - rate (Srivastava et al., 2014). `uniform` gives numbers in [0, 1), as
 * `uniformGenerator` makes: keep one for all steps. Leave the operation out when the model is used. Throws Error if the rate is not in [0, 1).
 */
export function dropout(x: Tensor, rate: number, uniform: () => number): Tensor {
  if (!(rate >= 0 && rate < 1)) throw new Error(`dropout: expected a rate from 0 to below 1, found ${rate}`);
  const { engine } = x;
  return engine.scope(() => {
    const mask = Float32Array.from({ length: x.size }, () => (uniform() < rate ? 0 : 1 / (1 - rate)));
    return mul(x, engine.tensor(mask, x.shape));
  });
}
