// The right operand of matmul_scalar.wgsl as half-precision numbers, two to a word. No extension is needed to read them so.

@group(0) @binding(2) var<storage, read> b: array<u32>;

fn b_number(at: u32) -> f32 {
  return unpack2x16float(b[at / 2u])[at % 2u];
}
