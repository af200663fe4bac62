// What the variants of attention with a bias share: the parameters, and which query of which head an invocation is for. Images follow each
// other, each of `rows` rows; a row of qkv has the queries of all heads side by side, then the keys, then the values.

// #include "grid.wgsl"

struct Params {
  images: u32,
  rows: u32,
  heads: u32,
  head_width: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;

// Adjacent numbers are adjacent queries of one head, which read the same keys and values.
fn query_count() -> u32 {
  return params.images * params.heads * params.rows;
}

// The first row of the image that a group, so many queries of one image and head, belongs to.
fn first_row(group: u32) -> u32 {
  return group / params.heads * params.rows;
}

fn bias_at(group: u32, query: u32) -> u32 {
  return (group % params.heads * params.rows + query) * params.rows;
}
