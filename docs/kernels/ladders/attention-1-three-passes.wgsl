// Attention, first rung: the definition, one invocation per query and head, three passes over its keys.
//
// The largest score, the sum of exponentials, the weighted sum of values. Nothing is kept between the passes, so every
// score is computed three times; the sums of the output are accumulated in device memory.
//
// lab: covers 64

struct Params {
  queries: u32,
  keys: u32,
  heads: u32,
  head_width: u32,
  q_stride: u32,
  q_offset: u32,
  k_stride: u32,
  k_offset: u32,
  v_stride: u32,
  v_offset: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> visible: array<vec4<i32>>;      // [queries]: two ranges of keys
@group(0) @binding(5) var<storage, read_write> out: array<f32>;          // [queries, heads * head_width]
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;  // [queries, heads]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = (group.y * groups.x + group.x) * 64u + lane;
  if (number >= params.queries * params.heads) {
    return;
  }
  let query = number / params.heads;
  let column = number % params.heads * params.head_width;
  let seen = vec4<u32>(visible[query]);
  let first = seen.y - seen.x;
  let count = first + seen.w - seen.z;

  var largest = -3.0e38;
  for (var t = 0u; t < count; t++) {
    largest = max(largest, score(query, visible_key(seen, first, t), column));
  }
  var denominator = 0.0;
  for (var t = 0u; t < count; t++) {
    denominator += exp(score(query, visible_key(seen, first, t), column) - largest);
  }
  let out_at = query * params.heads * params.head_width + column;
  for (var c = 0u; c < params.head_width; c++) {
    out[out_at + c] = 0.0;
  }
  for (var t = 0u; t < count; t++) {
    let key = visible_key(seen, first, t);
    let p = exp(score(query, key, column) - largest) / denominator;
    let v_at = key * params.v_stride + params.v_offset + column;
    for (var c = 0u; c < params.head_width; c++) {
      out[out_at + c] += p * v[v_at + c];
    }
  }
  // A query that sees nothing gets 0.
  log_sum_exp[number] = select(largest + log(denominator), 0.0, count == 0u);
}

fn score(query: u32, key: u32, column: u32) -> f32 {
  let q_at = query * params.q_stride + params.q_offset + column;
  let k_at = key * params.k_stride + params.k_offset + column;
  var sum = 0.0;
  for (var c = 0u; c < params.head_width; c++) {
    sum += q[q_at + c] * k[k_at + c];
  }
  return params.scale * sum;
}

// The row of the t-th key that a query sees.
fn visible_key(seen: vec4<u32>, first: u32, t: u32) -> u32 {
  return select(seen.z + t - first, seen.x + t, t < first);
}
