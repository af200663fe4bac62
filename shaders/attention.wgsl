// Attention without a score matrix in memory: one workgroup of 64 computes one query row of one head.
//
// Keys are processed 64 at a time. In each round every lane scores one key; then every lane owns up to two of the head's
// columns and adds the round's values, with the running maximum and denominator of online softmax
// (Milakov and Gimelshein, 2018). Which keys a query sees is data: two ranges of rows, visible[query] = (start, end,
// start, end). A causal sequence, an image and a tree of suffixes over a shared prefix all use this kernel.

// #include "attention_common.wgsl"
// #include "reduce.wgsl"

@group(0) @binding(1) var<storage, read> q: array<f32>;
@group(0) @binding(2) var<storage, read> k: array<f32>;
@group(0) @binding(3) var<storage, read> v: array<f32>;
@group(0) @binding(4) var<storage, read> visible: array<vec4<i32>>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;          // [queries, heads * head_width]
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;  // [queries, heads]

var<workgroup> probability: array<f32, 64>;

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
  let seen = vec4<u32>(visible[query]);
  let first = seen.y - seen.x;
  let count = first + seen.w - seen.z;

  var largest = -3.0e38;
  var denominator = 0.0;
  var sum = vec2<f32>(0.0);  // columns `lane` and `lane + 64` of the output
  for (var start = 0u; start < count; start += LANES) {
    let members = min(LANES, count - start);
    var score = -3.0e38;
    if (lane < members) {
      let key = visible_key(seen, first, start + lane);
      let k_at = key * params.k_stride + params.k_offset + column;
      score = 0.0;
      for (var c = 0u; c < params.head_width; c++) {
        score += q[q_at + c] * k[k_at + c];
      }
      score *= params.scale;
    }
    let round_largest = max(largest, reduce_max(lane, score));
    let p = select(0.0, exp(score - round_largest), lane < members);
    let rescale = exp(largest - round_largest);
    denominator = denominator * rescale + reduce_sum(lane, p);
    largest = round_largest;
    probability[lane] = p;
    workgroupBarrier();

    sum *= rescale;
    for (var t = 0u; t < members; t++) {
      let v_at = visible_key(seen, first, start + t) * params.v_stride + params.v_offset + column;
      if (lane < params.head_width) {
        sum.x += probability[t] * v[v_at + lane];
      }
      if (lane + LANES < params.head_width) {
        sum.y += probability[t] * v[v_at + lane + LANES];
      }
    }
    workgroupBarrier();
  }

  // A query that sees nothing gets 0.
  let result = select(sum / denominator, vec2<f32>(), count == 0u);
  let out_at = query * params.heads * params.head_width + column;
  if (lane < params.head_width) {
    out[out_at + lane] = result.x;
  }
  if (lane + LANES < params.head_width) {
    out[out_at + lane + LANES] = result.y;
  }
  if (lane == 0u) {
    log_sum_exp[number] = select(largest + log(denominator), 0.0, count == 0u);
  }
}

// The row of the i-th key that a query sees.
fn visible_key(seen: vec4<u32>, first: u32, i: u32) -> u32 {
  return select(seen.z + i - first, seen.x + i, i < first);
}
