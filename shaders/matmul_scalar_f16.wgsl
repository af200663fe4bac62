// The right operand of matmul_scalar.wgsl as fp16 values, two per word. Reading them this way needs no extension.

@group(0) @binding(2) var<storage, read> b: array<u32>;

fn b_number(at: u32) -> f32 {
  return unpack2x16float(b[at / 2u])[at % 2u];
}
