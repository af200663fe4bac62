// Gradient of attention with respect to keys and values by subgroups, for heads of exactly 64 columns: attention_grad_key_value.wgsl
// has the formulas, subgroup_rows.wgsl describes how lanes share queries and their gradients.
//
// Needs subgroups of at least 8, and strides and offsets that are multiples of 4.

enable subgroups;
// Loops have the same bounds in all lanes of a subgroup, by subgroupMin and subgroupMax, but the compiler cannot infer that.
diagnostic(off, subgroup_uniformity);

// #include "attention_common.wgsl"
// #include "subgroup_rows.wgsl"

@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> seen_by: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> log_sum_exp: array<f32>;  // [queries, heads]
@group(0) @binding(6) var<storage, read> delta: array<f32>;        // [queries, heads]
@group(0) @binding(7) var<storage, read> grad_out: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> grad_kv: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
  let number = element_number(grid, lane);
  let exists = number < params.keys * params.heads;
  // No lane leaves early: all take part in the broadcasts.
  let head = min(number / params.keys, params.heads - 1u);
  let last_head = subgroupMax(head);
  for (var h = subgroupMin(head); h <= last_head; h++) {
    gradient(number % params.keys, h, exists && h == head, subgroup_lane % 8u);
  }
}

fn gradient(key: u32, head: u32, own_head: bool, slot: u32) {
  let column = head * QUADS;
  let k_at = (key * params.k_stride + params.k_offset) / 4u + column;
  let v_at = (key * params.v_stride + params.v_offset) / 4u + column;
  var own_key: Row;
  var own_value: Row;
  var key_sum: Row;
  var value_sum: Row;
  for (var c = 0u; c < QUADS; c++) {
    own_key[c] = k[k_at + c];
    own_value[c] = v[v_at + c];
  }
  // None if the lane has no such key.
  let readers = select(vec2<u32>(params.queries, 0u), vec2<u32>(seen_by[key]), own_head);
  let end = subgroupMax(readers.y);
  for (var query = subgroupMin(readers.x); query < end; query++) {
    let q_at = (query * params.q_stride + params.q_offset) / 4u + column + slot;
    let out_at = query * params.heads * QUADS + column + slot;
    let statistic = query * params.heads + head;
    let q_low = q[q_at];
    let q_high = q[q_at + 8u];
    let grad_low = grad_out[out_at];
    let grad_high = grad_out[out_at + 8u];
    var query_row = shared_row(q_low, q_high);
    var grad_row = shared_row(grad_low, grad_high);
    let lse = log_sum_exp[statistic];
    let own_delta = delta[statistic];
    // Skipped rather than given weight 0, which would let a NaN of another image in.
    if (readers.x <= query && query < readers.y) {
      let probability = exp(params.scale * dot_rows(&own_key, &query_row) - lse);
      let grad_score = params.scale * probability * (dot_rows(&own_value, &grad_row) - own_delta);
      for (var c = 0u; c < QUADS; c++) {
        key_sum[c] += grad_score * query_row[c];
        value_sum[c] += probability * grad_row[c];
      }
    }
  }
  if (own_head) {
    for (var c = 0u; c < QUADS; c++) {
      grad_kv[k_at + c] = key_sum[c];
      grad_kv[v_at + c] = value_sum[c];
    }
  }
}
