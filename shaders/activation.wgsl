// CLIP's activation functions and their derivatives: 1 = QuickGELU, x * sigmoid(1.702 x); 2 = GELU, x * Phi(x).

const QUICK_GELU_SLOPE: f32 = 1.702;
const SQRT_HALF: f32 = 0.7071067811865476;
const INV_SQRT_2PI: f32 = 0.3989422804014327;

fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exp(-x));
}

// Complementary error function, Chebyshev fit with fractional error below 1.2e-7 (Numerical Recipes in C, section 6.2).
fn erfc(x: f32) -> f32 {
  let z = abs(x);
  let t = 1.0 / (1.0 + 0.5 * z);
  let tail = t * exp(-z * z - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806
      + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277)))))))));
  return select(2.0 - tail, tail, x >= 0.0);
}

fn normal_cdf(x: f32) -> f32 {
  return 0.5 * erfc(-x * SQRT_HALF);
}

fn activate(kind: u32, x: f32) -> f32 {
  if (kind == 1u) {
    return x * sigmoid(QUICK_GELU_SLOPE * x);
  }
  return x * normal_cdf(x);
}

fn activation_derivative(kind: u32, x: f32) -> f32 {
  if (kind == 1u) {
    let s = sigmoid(QUICK_GELU_SLOPE * x);
    return s * (1.0 + QUICK_GELU_SLOPE * x * (1.0 - s));
  }
  return normal_cdf(x) + x * INV_SQRT_2PI * exp(-0.5 * x * x);
}
