// Gradient of attention with respect to keys and values: one workgroup of 64 per key row and head, which gathers from
// the queries seen_by[key] = (start, end) that see it. Gathering instead of scattering needs no atomics, so the sums have one
// fixed order.

struct Params {
  queries: u32,
  keys: u32,
  heads: u32,
  head_width: u32,  // at most 128
  q_stride: u32,
  q_offset: u32,
  k_stride: u32,
  k_offset: u32,
  v_stride: u32,
  v_offset: u32,
  grad_stride: u32,
  grad_k_offset: u32,
  grad_v_offset: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
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
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = group_number(group, groups);
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

  let grad_at = key * params.grad_stride + column;
  if (lane < params.head_width) {
    grad_kv[grad_at + params.grad_k_offset + lane] = sum_k.x;
    grad_kv[grad_at + params.grad_v_offset + lane] = sum_v.x;
  }
  if (lane + LANES < params.head_width) {
    grad_kv[grad_at + params.grad_k_offset + lane + LANES] = sum_k.y;
    grad_kv[grad_at + params.grad_v_offset + lane + LANES] = sum_v.y;
  }
}
