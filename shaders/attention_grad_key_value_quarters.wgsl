// Gradient of attention with respect to keys and values with four lanes for each key and head, for heads of exactly 64 columns;
// attention_grad_key_value.wgsl has the formulas, subgroup_quarters.wgsl the approach.
//
// Needs subgroups of at least 4, and strides and offsets that are multiples of 4.

enable subgroups;
diagnostic(off, subgroup_uniformity);

// #include "attention_common.wgsl"
// #include "subgroup_quarters.wgsl"

@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> seen_by: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> log_sum_exp: array<f32>;  // [queries, heads]
@group(0) @binding(6) var<storage, read> delta: array<f32>;        // [queries, heads]
@group(0) @binding(7) var<storage, read> grad_out: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> grad_kv: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let number = element_number(grid, lane) / QUARTERS;
  let exists = number < params.keys * params.heads;
  let head = min(number / params.keys, params.heads - 1u);
  let key = number % params.keys;
  let at = head * QUADS + lane % QUARTERS;

  let k_at = (key * params.k_stride + params.k_offset) / 4u + at;
  let v_at = (key * params.v_stride + params.v_offset) / 4u + at;
  var own_key: Quarter;
  var own_value: Quarter;
  var key_sum: Quarter;
  var value_sum: Quarter;
  for (var c = 0u; c < 4u; c++) {
    own_key[c] = k[k_at + 4u * c];
    own_value[c] = v[v_at + 4u * c];
  }
  let readers = select(vec2<u32>(), vec2<u32>(seen_by[key]), exists);
  let end = subgroupMax(readers.y);
  for (var query = subgroupMin(select(params.queries, readers.x, readers.x < readers.y)); query < end; query++) {
    let is_seen = readers.x <= query && query < readers.y;
    if (!subgroupAny(is_seen)) {
      continue;
    }
    let q_at = (query * params.q_stride + params.q_offset) / 4u + at;
    let out_at = query * params.heads * QUADS + at;
    var query_part = Quarter(q[q_at], q[q_at + 4u], q[q_at + 8u], q[q_at + 12u]);
    var grad_part = Quarter(grad_out[out_at], grad_out[out_at + 4u], grad_out[out_at + 8u], grad_out[out_at + 12u]);
    let sums = sum_of_quarters(vec2<f32>(dot_quarters(&own_key, &query_part), dot_quarters(&own_value, &grad_part)));
    // Skipped rather than given weight 0, which would let a NaN of another image in.
    if (is_seen) {
      let statistic = query * params.heads + head;
      let probability = exp(params.scale * sums.x - log_sum_exp[statistic]);
      let grad_score = params.scale * probability * (sums.y - delta[statistic]);
      for (var c = 0u; c < 4u; c++) {
        key_sum[c] += grad_score * query_part[c];
        value_sum[c] += probability * grad_part[c];
      }
    }
  }

  if (exists) {
    for (var c = 0u; c < 4u; c++) {
      grad_kv[k_at + 4u * c] = key_sum[c];
      grad_kv[v_at + 4u * c] = value_sum[c];
    }
  }
}
