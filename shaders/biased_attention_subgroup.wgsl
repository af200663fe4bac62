// Attention with a bias by subgroups, for heads of exactly 64 columns: see subgroup_rows.wgsl for how lanes share keys and values. For adapters
// on which loads, not arithmetic, are expensive. Needs subgroups of at least 8.

enable subgroups;
// All lanes loop over the images and heads that any of them has, by subgroupMin and subgroupMax, but the compiler cannot infer that.
diagnostic(off, subgroup_uniformity);

// #include "biased_attention_common.wgsl"
// #include "subgroup_rows.wgsl"

@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;  // [images * rows, 3 * heads * 64]
@group(0) @binding(2) var<storage, read> bias: array<f32>;       // [heads, rows, rows]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;  // [images * rows, heads * 64]

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
  let number = element_number(grid, lane);
  let exists = number < query_count();
  // No lane leaves early: all take part in the broadcasts.
  let own_group = min(number / params.rows, params.images * params.heads - 1u);
  let last_group = subgroupMax(own_group);
  for (var group = subgroupMin(own_group); group <= last_group; group++) {
    attend(group, number % params.rows, exists && group == own_group, subgroup_lane % 8u);
  }
}

// One image and head, for the lanes whose own it is.
fn attend(group: u32, query: u32, is_own: bool, slot: u32) {
  let width = params.heads * QUADS;
  let column = group % params.heads * QUADS;
  let first = first_row(group);
  let q_at = (first + query) * 3u * width + column;
  var own: Row;
  var sum: Row;
  for (var c = 0u; c < QUADS; c++) {
    own[c] = qkv[q_at + c] * params.scale;
  }
  let own_bias = bias_at(group, query);
  var largest = -3.0e38;
  var denominator = 0.0;
  for (var key = 0u; key < params.rows; key++) {
    let k_at = (first + key) * 3u * width + width + column + slot;
    let k_low = qkv[k_at];
    let k_high = qkv[k_at + 8u];
    let v_low = qkv[k_at + width];
    let v_high = qkv[k_at + width + 8u];
    var key_row = shared_row(k_low, k_high);
    var value_row = shared_row(v_low, v_high);
    let score = dot_rows(&own, &key_row) + bias[own_bias + key];
    let larger = max(largest, score);
    let rescale = exp(largest - larger);
    let p = exp(score - larger);
    largest = larger;
    denominator = denominator * rescale + p;
    for (var c = 0u; c < QUADS; c++) {
      sum[c] = sum[c] * rescale + p * value_row[c];
    }
  }
  if (is_own) {
    let out_at = (first + query) * width + column;
    for (var c = 0u; c < QUADS; c++) {
      out[out_at + c] = sum[c] / denominator;
    }
  }
}
