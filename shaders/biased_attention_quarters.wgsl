// Attention with a bias, four lanes for each query and head, for heads of exactly 64 columns: see subgroup_quarters.wgsl. For hardware: no
// barriers, and few registers. Needs subgroups of at least 4.

enable subgroups;
// All lanes loop over as many keys, but the compiler cannot infer that.
diagnostic(off, subgroup_uniformity);

// #include "biased_attention_common.wgsl"
// #include "subgroup_quarters.wgsl"

@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;  // [images * rows, 3 * heads * 64]
@group(0) @binding(2) var<storage, read> bias: array<f32>;       // [heads, rows, rows]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;  // [images * rows, heads * 64]

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let number = element_number(grid, lane) / QUARTERS;
  let part = lane % QUARTERS;
  // No lane leaves early: all take part in the sums, those past the end with what the last query has.
  let exists = number < query_count();
  let own_number = min(number, query_count() - 1u);
  let group = own_number / params.rows;
  let query = own_number % params.rows;
  let width = params.heads * QUADS;
  let column = group % params.heads * QUADS + part;
  let first = first_row(group);
  let q_at = (first + query) * 3u * width + column;
  var own: Quarter;
  var sum: Quarter;
  for (var c = 0u; c < 4u; c++) {
    own[c] = qkv[q_at + 4u * c] * params.scale;
  }
  let own_bias = bias_at(group, query);
  var largest = -3.0e38;
  var denominator = 0.0;
  for (var key = 0u; key < params.rows; key++) {
    let k_at = (first + key) * 3u * width + width + column;
    let v_at = k_at + width;
    var key_part = Quarter(qkv[k_at], qkv[k_at + 4u], qkv[k_at + 8u], qkv[k_at + 12u]);
    let product = sum_of_quarters(vec2<f32>(dot_quarters(&own, &key_part), 0.0)).x;
    let score = product + bias[own_bias + key];
    let larger = max(largest, score);
    let rescale = exp(largest - larger);
    let p = exp(score - larger);
    largest = larger;
    denominator = denominator * rescale + p;
    for (var c = 0u; c < 4u; c++) {
      sum[c] = sum[c] * rescale + p * qkv[v_at + 4u * c];
    }
  }
  if (exists) {
    let out_at = (first + query) * width + column;
    for (var c = 0u; c < 4u; c++) {
      out[out_at + 4u * c] = sum[c] / denominator;
    }
  }
}
