// Gradient of attention with respect to the queries with one invocation per query row and head, for heads of exactly 64
// columns; attention_grad_query.wgsl has the formulas, attention_rows.wgsl the approach.

// #include "attention_common.wgsl"

@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> visible: array<vec4<i32>>;
@group(0) @binding(5) var<storage, read> log_sum_exp: array<f32>;  // [queries, heads]
@group(0) @binding(6) var<storage, read> delta: array<f32>;        // [queries, heads]
@group(0) @binding(7) var<storage, read> grad_out: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> grad_q: array<vec4<f32>>;

const QUADS = 16u;  // a head's columns in fours

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let number = element_number(grid, lane);
  if (number >= params.queries * params.heads) {
    return;
  }
  let query = number / params.heads;
  let column = number % params.heads * QUADS;
  let q_at = (query * params.q_stride + params.q_offset) / 4u + column;
  let out_at = query * params.heads * QUADS + column;
  var own: array<vec4<f32>, QUADS>;
  var grad: array<vec4<f32>, QUADS>;
  var sum: array<vec4<f32>, QUADS>;
  for (var c = 0u; c < QUADS; c++) {
    own[c] = q[q_at + c];
    grad[c] = grad_out[out_at + c];
  }

  let lse = log_sum_exp[number];
  let own_delta = delta[number];
  let seen = vec4<u32>(visible[query]);
  let first = seen.y - seen.x;
  let count = first + seen.w - seen.z;
  for (var t = 0u; t < count; t++) {
    let key = select(seen.z + t - first, seen.x + t, t < first);
    let k_at = (key * params.k_stride + params.k_offset) / 4u + column;
    let v_at = (key * params.v_stride + params.v_offset) / 4u + column;
    var key_row: array<vec4<f32>, QUADS>;
    var scores = vec4<f32>();
    var grad_probabilities = vec4<f32>();
    for (var c = 0u; c < QUADS; c++) {
      key_row[c] = k[k_at + c];
      scores += own[c] * key_row[c];
      grad_probabilities += grad[c] * v[v_at + c];
    }
    let probability = exp(params.scale * dot(scores, vec4<f32>(1.0)) - lse);
    let grad_score = params.scale * probability * (dot(grad_probabilities, vec4<f32>(1.0)) - own_delta);
    for (var c = 0u; c < QUADS; c++) {
      sum[c] += grad_score * key_row[c];
    }
  }

  for (var c = 0u; c < QUADS; c++) {
    grad_q[q_at + c] = sum[c];
  }
}
