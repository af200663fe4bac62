// Attention with a bias, one invocation for each query row and head, for heads of exactly 64 columns: everything in registers, as in
// attention_rows.wgsl. The lanes of a workgroup are adjacent queries of one head, so that they load the same key at the same time.

// #include "biased_attention_common.wgsl"

@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;  // [images * rows, 3 * heads * 64]
@group(0) @binding(2) var<storage, read> bias: array<f32>;       // [heads, rows, rows]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;  // [images * rows, heads * 64]

const QUADS = 16u;  // a head's columns in fours

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let number = element_number(grid, lane);
  if (number >= query_count()) {
    return;
  }
  let group = number / params.rows;
  let query = number % params.rows;
  let width = params.heads * QUADS;
  let column = group % params.heads * QUADS;
  let first = first_row(group);
  let q_at = (first + query) * 3u * width + column;
  var own: array<vec4<f32>, QUADS>;
  var sum: array<vec4<f32>, QUADS>;
  for (var c = 0u; c < QUADS; c++) {
    own[c] = qkv[q_at + c] * params.scale;
  }

  let own_bias = bias_at(group, query);
  var largest = -3.0e38;
  var denominator = 0.0;
  for (var key = 0u; key < params.rows; key++) {
    let k_at = (first + key) * 3u * width + width + column;
    var products = own[0] * qkv[k_at];
    for (var c = 1u; c < QUADS; c++) {
      products += own[c] * qkv[k_at + c];
    }
    let score = dot(products, vec4<f32>(1.0)) + bias[own_bias + key];
    let larger = max(largest, score);
    let rescale = exp(largest - larger);
    let p = exp(score - larger);
    largest = larger;
    denominator = denominator * rescale + p;
    for (var c = 0u; c < QUADS; c++) {
      sum[c] = sum[c] * rescale + p * qkv[k_at + width + c];
    }
  }

  let out_at = (first + query) * width + column;
  for (var c = 0u; c < QUADS; c++) {
    out[out_at + c] = sum[c] / denominator;
  }
}
