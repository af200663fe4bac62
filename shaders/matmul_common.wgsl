// What every variant of the matrix product shares: the parameters, the bindings but for the operands, and the epilogue. The operands a and b are
// bound in the width in which a variant loads them (matmul_scalar.wgsl, matmul_quads.wgsl); b is words, which hold a number each or two halves.
//
//   out = epilogue(alpha * op(a) . op(b)),  op(a) [m, k], op(b) [k, n], out [m, n]
//
// Absent operands are bound to a dummy; the HAS_* constants are set when the pipeline is created, so that the branches on
// them do not exist in the compiled code.

// #include "activation.wgsl"

struct Params {
  m: u32,
  n: u32,
  k: u32,
  alpha: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
// @binding(1) a, @binding(2) b
@group(0) @binding(3) var<storage, read> bias: array<f32>;                  // [n]
@group(0) @binding(4) var<storage, read> residual: array<f32>;              // [m, n]
@group(0) @binding(5) var<storage, read> grad_pre_activation: array<f32>;   // [m, n]
@group(0) @binding(6) var<storage, read_write> out: array<f32>;             // [m, n]
@group(0) @binding(7) var<storage, read_write> pre_activation: array<f32>;  // [m, n]

override HALF_B: bool = false;       // b is in half precision
override TRANSPOSE_A: bool = false;  // a is stored [k, m]
override TRANSPOSE_B: bool = false;  // b is stored [n, k]
override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0;       // 0 none, 1 QuickGELU, 2 GELU
override ACTIVATION_GRAD: u32 = 0;  // the same, for the derivative at grad_pre_activation
override HAS_PRE_ACTIVATION: bool = false;

// Applies the epilogue to the accumulated sum of one element and stores it.
fn store(row: u32, column: u32, sum: f32) {
  let at = row * params.n + column;
  var v = params.alpha * sum;
  if (HAS_BIAS) {
    v += bias[column];
  }
  if (HAS_PRE_ACTIVATION) {
    pre_activation[at] = v;
  }
  if (ACTIVATION != 0u) {
    v = activate(ACTIVATION, v);
  }
  if (ACTIVATION_GRAD != 0u) {
    v *= activation_derivative(ACTIVATION_GRAD, grad_pre_activation[at]);
  }
  if (HAS_RESIDUAL) {
    v += residual[at];
  }
  out[at] = v;
}
