// Gradient of attention with respect to keys and values: one workgroup of 64 per key row and head, which gathers from
// the queries seen_by[key] = (start, end) that see it. Gathering instead of scattering needs no atomics, so the sums have one
// fixed order.

// #include "attention_common.wgsl"

@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> seen_by: array<vec2<i32>>;
@group(0) @binding(5) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;
@group(0) @binding(7) var<storage, read> grad_out: array<f32>;
@group(0) @binding(8) var<storage, read_write> grad_kv: array<f32>;

var<workgroup> probability: array<f32, 64>;
var<workgroup> grad_score: array<f32, 64>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let number = group_number(grid);
  if (number >= params.keys * params.heads) {
    return;
  }
  let key = number / params.heads;
  let head = number % params.heads;
  let column = head * params.head_width;
  let k_at = key * params.k_stride + params.k_offset + column;
  let v_at = key * params.v_stride + params.v_offset + column;
  let out_stride = params.heads * params.head_width;
  let readers = vec2<u32>(seen_by[key]);

  var sum_k = vec2<f32>(0.0);
  var sum_v = vec2<f32>(0.0);
  for (var start = readers.x; start < readers.y; start += LANES) {
    let members = min(LANES, readers.y - start);
    if (lane < members) {
      let query = start + lane;
      let q_at = query * params.q_stride + params.q_offset + column;
      let out_at = query * out_stride + column;
      var score = 0.0;
      var grad_probability = 0.0;
      for (var c = 0u; c < params.head_width; c++) {
        score += q[q_at + c] * k[k_at + c];
        grad_probability += grad_out[out_at + c] * v[v_at + c];
      }
      let row = query * params.heads + head;
      let p = exp(score * params.scale - log_sum_exp[row]);
      probability[lane] = p;
      grad_score[lane] = p * (grad_probability - delta[row]) * params.scale;
    }
    workgroupBarrier();
    for (var t = 0u; t < members; t++) {
      let q_at = (start + t) * params.q_stride + params.q_offset + column;
      let out_at = (start + t) * out_stride + column;
      if (lane < params.head_width) {
        sum_k.x += grad_score[t] * q[q_at + lane];
        sum_v.x += probability[t] * grad_out[out_at + lane];
      }
      if (lane + LANES < params.head_width) {
        sum_k.y += grad_score[t] * q[q_at + lane + LANES];
        sum_v.y += probability[t] * grad_out[out_at + lane + LANES];
      }
    }
    workgroupBarrier();
  }

  if (lane < params.head_width) {
    grad_kv[k_at + lane] = sum_k.x;
    grad_kv[v_at + lane] = sum_v.x;
  }
  if (lane + LANES < params.head_width) {
    grad_kv[k_at + lane + LANES] = sum_k.y;
    grad_kv[v_at + lane + LANES] = sum_v.y;
  }
}
