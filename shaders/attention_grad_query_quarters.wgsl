// Gradient of attention with respect to the queries with four lanes for each query and head, for heads of exactly 64 columns;
// attention_grad_query.wgsl has the formulas, subgroup_quarters.wgsl the approach.
//
// Needs subgroups of at least 4, and strides and offsets that are multiples of 4.

enable subgroups;
diagnostic(off, subgroup_uniformity);

// #include "attention_common.wgsl"
// #include "subgroup_quarters.wgsl"
// #include "subgroup_visible.wgsl"

@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> visible: array<vec4<i32>>;
@group(0) @binding(5) var<storage, read> log_sum_exp: array<f32>;  // [queries, heads]
@group(0) @binding(6) var<storage, read> delta: array<f32>;        // [queries, heads]
@group(0) @binding(7) var<storage, read> grad_out: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> grad_q: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let number = element_number(grid, lane) / QUARTERS;
  let exists = number < params.queries * params.heads;
  let head = min(number / params.queries, params.heads - 1u);
  let query = number % params.queries;
  let at = head * QUADS + lane % QUARTERS;

  let q_at = (query * params.q_stride + params.q_offset) / 4u + at;
  let out_at = query * params.heads * QUADS + at;
  var own: Quarter;
  var grad: Quarter;
  var sum: Quarter;
  for (var c = 0u; c < 4u; c++) {
    own[c] = q[q_at + 4u * c];
    grad[c] = grad_out[out_at + 4u * c];
  }
  let lse = log_sum_exp[query * params.heads + head];
  let own_delta = delta[query * params.heads + head];
  let seen = visible_by(query, exists);
  let end = subgroupMax(max(seen.y, seen.w));
  for (var key = subgroupMin(first_of(seen)); key < end; key++) {
    let sees = is_in(seen, key);
    if (!subgroupAny(sees)) {
      continue;
    }
    let k_at = (key * params.k_stride + params.k_offset) / 4u + at;
    let v_at = (key * params.v_stride + params.v_offset) / 4u + at;
    var key_part = Quarter(k[k_at], k[k_at + 4u], k[k_at + 8u], k[k_at + 12u]);
    var value_part = Quarter(v[v_at], v[v_at + 4u], v[v_at + 8u], v[v_at + 12u]);
    let sums = sum_of_quarters(vec2<f32>(dot_quarters(&own, &key_part), dot_quarters(&grad, &value_part)));
    // Skipped rather than given weight 0, which would let a NaN of another image in.
    if (sees) {
      let grad_score = params.scale * exp(params.scale * sums.x - lse) * (sums.y - own_delta);
      for (var c = 0u; c < 4u; c++) {
        sum[c] += grad_score * key_part[c];
      }
    }
  }

  if (exists) {
    for (var c = 0u; c < 4u; c++) {
      grad_q[q_at + 4u * c] = sum[c];
    }
  }
}
