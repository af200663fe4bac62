// What attention and its gradients share, in all variants: the parameters. Rows of q, k and v are so many numbers apart (stride), and their heads
// begin at a column (offset), so that all three may lie in one buffer; gradients lie as what they are of.

// #include "grid.wgsl"

struct Params {
  queries: u32,
  keys: u32,
  heads: u32,
  head_width: u32,
  q_stride: u32,
  q_offset: u32,
  k_stride: u32,
  k_offset: u32,
  v_stride: u32,
  v_offset: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
