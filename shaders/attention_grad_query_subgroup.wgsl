// Gradient of attention with respect to the queries by subgroups, for heads of exactly 64 columns: attention_grad_query.wgsl has the
// formulas, subgroup_rows.wgsl describes how lanes share keys and values.
//
// Needs subgroups of at least 8, and strides and offsets that are multiples of 4.

enable subgroups;
// Loops have the same bounds in all lanes of a subgroup, by subgroupMin and subgroupMax, but the compiler cannot infer that.
diagnostic(off, subgroup_uniformity);

// #include "attention_common.wgsl"
// #include "subgroup_rows.wgsl"
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
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
  let number = element_number(grid, lane);
  let exists = number < params.queries * params.heads;
  // No lane leaves early: all take part in the broadcasts.
  let head = min(number / params.queries, params.heads - 1u);
  let last_head = subgroupMax(head);
  for (var h = subgroupMin(head); h <= last_head; h++) {
    gradient(number % params.queries, h, exists && h == head, subgroup_lane % 8u);
  }
}

fn gradient(query: u32, head: u32, own_head: bool, slot: u32) {
  let column = head * QUADS;
  let q_at = (query * params.q_stride + params.q_offset) / 4u + column;
  let out_at = query * params.heads * QUADS + column;
  var own: Row;
  var grad: Row;
  var sum: Row;
  for (var c = 0u; c < QUADS; c++) {
    own[c] = q[q_at + c];
    grad[c] = grad_out[out_at + c];
  }
  let lse = log_sum_exp[query * params.heads + head];
  let own_delta = delta[query * params.heads + head];
  let seen = visible_by(query, own_head);
  let end = subgroupMax(max(seen.y, seen.w));
  for (var key = subgroupMin(first_of(seen)); key < end; key++) {
    let k_at = (key * params.k_stride + params.k_offset) / 4u + column + slot;
    let v_at = (key * params.v_stride + params.v_offset) / 4u + column + slot;
    let k_low = k[k_at];
    let k_high = k[k_at + 8u];
    let v_low = v[v_at];
    let v_high = v[v_at + 8u];
    var value_row = shared_row(v_low, v_high);
    var key_row = shared_row(k_low, k_high);
    // Skipped rather than given weight 0, which would let a NaN of another image in.
    if (is_in(seen, key)) {
      let grad_probability = dot_rows(&grad, &value_row);
      let probability = exp(params.scale * dot_rows(&own, &key_row) - lse);
      let grad_score = params.scale * probability * (grad_probability - own_delta);
      for (var c = 0u; c < QUADS; c++) {
        sum[c] += grad_score * key_row[c];
      }
    }
  }
  if (own_head) {
    for (var c = 0u; c < QUADS; c++) {
      grad_q[q_at + c] = sum[c];
    }
  }
}
