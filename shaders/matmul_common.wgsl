// What every variant of the matrix product shares: the parameters and the options. Operands are bound in the width in which a variant moves them:
// a and b by matmul_scalar.wgsl or matmul_quads.wgsl, the rest by matmul_store.wgsl or matmul_store_quads.wgsl.
//
//   out = epilogue(alpha * op(a) . op(b)),  op(a) [m, k], op(b) [k, n], out [m, n]
//
// Absent operands are bound to a dummy; the HAS_* constants are set when the pipeline is created, so that the branches on
// them do not exist in the compiled code.

struct Params {
  m: u32,
  n: u32,
  k: u32,
  alpha: f32,
}

@group(0) @binding(0) var<uniform> params: Params;

override HALF_B: bool = false;       // b is in half precision
override TRANSPOSE_A: bool = false;  // a is stored [k, m]
override TRANSPOSE_B: bool = false;  // b is stored [n, k]
override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override ACTIVATION: u32 = 0;       // 0 none, 1 QuickGELU, 2 GELU
override ACTIVATION_GRAD: u32 = 0;  // the same, for the derivative at grad_pre_activation
override HAS_PRE_ACTIVATION: bool = false;
override RELU: bool = false;         // what is negative in the end becomes 0
