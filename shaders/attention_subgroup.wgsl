// Attention by subgroups, for heads of exactly 64 columns: see subgroup_rows.wgsl for how lanes share keys and values. For adapters
// on which loads, not arithmetic, are expensive. Online softmax as in attention_rows.wgsl.
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
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;   // [queries, heads * 64]
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;  // [queries, heads]

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32, @builtin(subgroup_invocation_id) subgroup_lane: u32) {
  let number = element_number(grid, lane);
  let exists = number < params.queries * params.heads;
  // No lane leaves early: all take part in the broadcasts.
  let head = min(number / params.queries, params.heads - 1u);
  let last_head = subgroupMax(head);
  for (var h = subgroupMin(head); h <= last_head; h++) {
    attend(number % params.queries, h, exists && h == head, subgroup_lane % 8u);
  }
}

fn attend(query: u32, head: u32, own_head: bool, slot: u32) {
  let column = head * QUADS;
  let q_at = (query * params.q_stride + params.q_offset) / 4u + column;
  var own: Row;
  var sum: Row;
  for (var c = 0u; c < QUADS; c++) {
    own[c] = q[q_at + c] * params.scale;
  }
  let seen = visible_by(query, own_head);
  let end = subgroupMax(max(seen.y, seen.w));
  var largest = -3.0e38;
  var denominator = 0.0;
  for (var key = subgroupMin(first_of(seen)); key < end; key++) {
    let k_at = (key * params.k_stride + params.k_offset) / 4u + column + slot;
    let v_at = (key * params.v_stride + params.v_offset) / 4u + column + slot;
    let k_low = k[k_at];
    let k_high = k[k_at + 8u];
    let v_low = v[v_at];
    let v_high = v[v_at + 8u];
    var key_row = shared_row(k_low, k_high);
    var value_row = shared_row(v_low, v_high);
    // Skipped rather than given weight 0, which would let a NaN of another image in.
    if (is_in(seen, key)) {
      let score = dot_rows(&own, &key_row);
      let larger = max(largest, score);
      let rescale = exp(largest - larger);
      let p = exp(score - larger);
      largest = larger;
      denominator = denominator * rescale + p;
      for (var c = 0u; c < QUADS; c++) {
        sum[c] = sum[c] * rescale + p * value_row[c];
      }
    }
  }
  if (own_head) {
    // A query that sees nothing gets 0.
    let nothing = seen.x >= seen.y && seen.z >= seen.w;
    let out_at = query * params.heads * QUADS + column;
    for (var c = 0u; c < QUADS; c++) {
      out[out_at + c] = select(sum[c] / denominator, vec4<f32>(), nothing);
    }
    log_sum_exp[query * params.heads + head] = select(largest + log(denominator), 0.0, nothing);
  }
}
