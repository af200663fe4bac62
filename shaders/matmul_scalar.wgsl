// The operands of the matrix product value by value, in either storage order.

// #include "matmul_store.wgsl"

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;

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

// Unpacking needs no extension, where a buffer of halves would.
fn b_number(at: u32) -> f32 {
  if (HALF_B) {
    return unpack2x16float(b[at / 2u])[at % 2u];
  }
  return bitcast<f32>(b[at]);
}
