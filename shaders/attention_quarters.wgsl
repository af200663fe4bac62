// Attention with four lanes for each query and head, for heads of exactly 64 columns: see subgroup_quarters.wgsl. For hardware: no barriers, and
// few registers. Online softmax as in attention_rows.wgsl, computed by all four.
//
// Needs subgroups of at least 4, and strides and offsets that are multiples of 4.

enable subgroups;
// Loops have the same bounds in all lanes of a subgroup, by subgroupMin and subgroupMax, but the compiler cannot infer that.
diagnostic(off, subgroup_uniformity);

// #include "attention_common.wgsl"
// #include "subgroup_quarters.wgsl"
// #include "subgroup_visible.wgsl"

@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> visible: array<vec4<i32>>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;   // [queries, heads * 64]
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;  // [queries, heads]

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let number = element_number(grid, lane) / QUARTERS;
  let part = lane % QUARTERS;
  // No lane leaves early: all take part in the sums.
  let exists = number < params.queries * params.heads;
  let head = min(number / params.queries, params.heads - 1u);
  let query = number % params.queries;
  let at = head * QUADS + part;

  let q_at = (query * params.q_stride + params.q_offset) / 4u + at;
  var own: Quarter;
  var sum: Quarter;
  for (var c = 0u; c < 4u; c++) {
    own[c] = q[q_at + 4u * c] * params.scale;
  }
  let seen = visible_by(query, exists);
  let end = subgroupMax(max(seen.y, seen.w));
  var largest = -3.0e38;
  var denominator = 0.0;
  for (var key = subgroupMin(first_of(seen)); key < end; key++) {
    let sees = is_in(seen, key);
    if (!subgroupAny(sees)) {
      continue;
    }
    let k_at = (key * params.k_stride + params.k_offset) / 4u + at;
    let v_at = (key * params.v_stride + params.v_offset) / 4u + at;
    var key_part = Quarter(k[k_at], k[k_at + 4u], k[k_at + 8u], k[k_at + 12u]);
    let score = sum_of_quarters(vec2<f32>(dot_quarters(&own, &key_part), 0.0)).x;
    // Skipped rather than given weight 0, which would let a NaN of another image in.
    if (sees) {
      let larger = max(largest, score);
      let rescale = exp(largest - larger);
      let p = exp(score - larger);
      largest = larger;
      denominator = denominator * rescale + p;
      for (var c = 0u; c < 4u; c++) {
        sum[c] = sum[c] * rescale + p * v[v_at + 4u * c];
      }
    }
  }

  if (exists) {
    // A query that sees nothing gets 0.
    let nothing = seen.x >= seen.y && seen.z >= seen.w;
    let out_at = query * params.heads * QUADS + at;
    for (var c = 0u; c < 4u; c++) {
      out[out_at + 4u * c] = select(sum[c] / denominator, vec4<f32>(), nothing);
    }
    if (part == 0u) {
      log_sum_exp[query * params.heads + head] = select(largest + log(denominator), 0.0, nothing);
    }
  }
}
