// The operands of the matrix product value by value, in either storage order. matmul_scalar_f32.wgsl or
// matmul_scalar_f16.wgsl binds the right one.

@group(0) @binding(1) var<storage, read> a: array<f32>;

fn a_at(row: u32, p: u32) -> f32 {
  if (TRANSPOSE_A) {
    return a[p * params.m + row];
  }
  return a[row * params.k + p];
}

fn b_at(p: u32, column: u32) -> f32 {
  if (TRANSPOSE_B) {
    return b_number(column * params.k + p);
  }
  return b_number(p * params.n + column);
}
