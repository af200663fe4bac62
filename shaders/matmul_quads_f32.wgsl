// The operands of matmul_blocks.wgsl four values at a time, the right one in single precision.

@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;

fn b_quad(at: u32) -> vec4<f32> {
  return b[at];
}
