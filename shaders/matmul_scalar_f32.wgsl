// The right operand of matmul_scalar.wgsl in single precision.

@group(0) @binding(2) var<storage, read> b: array<f32>;

fn b_number(at: u32) -> f32 {
  return b[at];
}
