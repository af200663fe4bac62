// Gradient of attention with respect to keys and values with one invocation per key row and head, for heads of exactly 64
// columns; attention_grad_key_value.wgsl has the formulas, attention_rows.wgsl the approach.

// #include "attention_common.wgsl"

@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> seen_by: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> log_sum_exp: array<f32>;  // [queries, heads]
@group(0) @binding(6) var<storage, read> delta: array<f32>;        // [queries, heads]
@group(0) @binding(7) var<storage, read> grad_out: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> grad_kv: array<vec4<f32>>;

const QUADS = 16u;  // a head's columns in fours

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let number = element_number(grid, lane);
  if (number >= params.keys * params.heads) {
    return;
  }
  let key = number / params.heads;
  let head = number % params.heads;
  let column = head * QUADS;
  let k_at = (key * params.k_stride + params.k_offset) / 4u + column;
  let v_at = (key * params.v_stride + params.v_offset) / 4u + column;
  var own_key: array<vec4<f32>, QUADS>;
  var own_value: array<vec4<f32>, QUADS>;
  var key_sum: array<vec4<f32>, QUADS>;
  var value_sum: array<vec4<f32>, QUADS>;
  for (var c = 0u; c < QUADS; c++) {
    own_key[c] = k[k_at + c];
    own_value[c] = v[v_at + c];
  }

  let readers = vec2<u32>(seen_by[key]);
  for (var query = readers.x; query < readers.y; query++) {
    let q_at = (query * params.q_stride + params.q_offset) / 4u + column;
    let out_at = query * params.heads * QUADS + column;
    let statistic = query * params.heads + head;
    var query_row: array<vec4<f32>, QUADS>;
    var grad_row: array<vec4<f32>, QUADS>;
    var scores = vec4<f32>();
    var grad_probabilities = vec4<f32>();
    for (var c = 0u; c < QUADS; c++) {
      query_row[c] = q[q_at + c];
      grad_row[c] = grad_out[out_at + c];
      scores += own_key[c] * query_row[c];
      grad_probabilities += own_value[c] * grad_row[c];
    }
    let probability = exp(params.scale * dot(scores, vec4<f32>(1.0)) - log_sum_exp[statistic]);
    let grad_probability = dot(grad_probabilities, vec4<f32>(1.0));
    let grad_score = params.scale * probability * (grad_probability - delta[statistic]);
    for (var c = 0u; c < QUADS; c++) {
      key_sum[c] += grad_score * query_row[c];
      value_sum[c] += probability * grad_row[c];
    }
  }

  for (var c = 0u; c < QUADS; c++) {
    grad_kv[k_at + c] = key_sum[c];
    grad_kv[v_at + c] = value_sum[c];
  }
}
