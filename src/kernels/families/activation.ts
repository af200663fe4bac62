/** CLIP's two activation functions and their derivatives, for one value. */

/** Activation functions of CLIP's MLP: QuickGELU `x * sigmoid(1.702 x)` (OpenAI) or exact GELU `x * Phi(x)`. */
export type Activation = 'quick_gelu' | 'gelu';

/** How kernels number them: 0 is none. */
export const ACTIVATIONS: readonly (Activation | undefined)[] = [undefined, 'quick_gelu', 'gelu'];

/** The number of an activation. */
export function activationCode(activation: Activation | undefined): number {
  return ACTIVATIONS.indexOf(activation);
}

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);

/** Slope of the sigmoid in QuickGELU (Hendrycks and Gimpel, 2016, section 2). */
const QUICK_GELU_SLOPE = 1.702;

export function activate(activation: Activation, x: number): number {
  if (activation === 'quick_gelu') return x * sigmoid(QUICK_GELU_SLOPE * x);
  return x * normalCdf(x);
}

export function activationDerivative(activation: Activation, x: number): number {
  if (activation === 'quick_gelu') {
    const s = sigmoid(QUICK_GELU_SLOPE * x);
    return s * (1 + QUICK_GELU_SLOPE * x * (1 - s));
  }
  return normalCdf(x) + (x * SQRT_2_OVER_PI * Math.exp(-0.5 * x * x)) / 2;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * Phi(x), from the series Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3 5) + ...) (Abramowitz and Stegun, 26.2.11). Its terms
 * share one sign, so nothing cancels and the result is accurate to the last bits; it needs about 10 terms near 0, 60 at x = 6.
 */
function normalCdf(x: number): number {
  if (x > 8.5) return 1;
  if (x < -8.5) return 0;
  const square = x * x;
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= square / k;
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-0.5 * square) * SQRT_2_OVER_PI) / 2;
}
