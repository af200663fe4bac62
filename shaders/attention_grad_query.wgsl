// Gradient of attention with respect to the queries: one workgroup of 64 per query row and head.
//
// Probabilities are recomputed from the saved log-sum-exp: p = exp(s - lse), dp = grad_out . v,
// ds = p * (dp - delta), grad_q = scale * sum of ds * k. delta = grad_out . out is an input: so the bindings stay within the
// eight storage buffers that every adapter has.

// #include "attention_common.wgsl"

@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> visible: array<vec4<i32>>;
@group(0) @binding(5) var<storage, read> log_sum_exp: array<f32>;
@group(0) @binding(6) var<storage, read> delta: array<f32>;  // [queries, heads]
@group(0) @binding(7) var<storage, read> grad_out: array<f32>;
@group(0) @binding(8) var<storage, read_write> grad_q: array<f32>;

var<workgroup> grad_score: array<f32, 64>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let number = group_number(grid);
  if (number >= params.queries * params.heads) {
    return;
  }
  let query = number / params.heads;
  let head = number % params.heads;
  let column = head * params.head_width;
  let q_at = query * params.q_stride + params.q_offset + column;
  let out_at = query * params.heads * params.head_width + column;
  let seen = vec4<u32>(visible[query]);
  let first = seen.y - seen.x;
  let count = first + seen.w - seen.z;

  let lse = log_sum_exp[number];
  var sum = vec2<f32>(0.0);
  for (var start = 0u; start < count; start += LANES) {
    let members = min(LANES, count - start);
    if (lane < members) {
      let key = visible_key(seen, first, start + lane);
      let k_at = key * params.k_stride + params.k_offset + column;
      let v_at = key * params.v_stride + params.v_offset + column;
      var score = 0.0;
      var grad_probability = 0.0;
      for (var c = 0u; c < params.head_width; c++) {
        score += q[q_at + c] * k[k_at + c];
        grad_probability += grad_out[out_at + c] * v[v_at + c];
      }
      grad_score[lane] = exp(score * params.scale - lse) * (grad_probability - delta[number]) * params.scale;
    }
    workgroupBarrier();
    for (var t = 0u; t < members; t++) {
      let k_at = visible_key(seen, first, start + t) * params.k_stride + params.k_offset + column;
      if (lane < params.head_width) {
        sum.x += grad_score[t] * k[k_at + lane];
      }
      if (lane + LANES < params.head_width) {
        sum.y += grad_score[t] * k[k_at + lane + LANES];
      }
    }
    workgroupBarrier();
  }

  if (lane < params.head_width) {
    grad_q[q_at + lane] = sum.x;
  }
  if (lane + LANES < params.head_width) {
    grad_q[q_at + lane + LANES] = sum.y;
  }
}

// The row of the i-th key that a query sees.
fn visible_key(seen: vec4<u32>, first: u32, i: u32) -> u32 {
  return select(seen.z + i - first, seen.x + i, i < first);
}
