// Attention with one invocation per query row and head, for heads of exactly 64 columns: no workgroup memory and no
// barrier, everything in registers. On adapters where a barrier is expensive (software ones) it is several times faster than attention.wgsl;
// on an NVIDIA H200 it is the fastest in real work. Needs strides and offsets that are multiples of 4.
//
// Online softmax over the keys one by one: when a larger score appears, the sums so far are scaled down.

// #include "attention_common.wgsl"

@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> visible: array<vec4<i32>>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;   // [queries, heads * 64]
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;  // [queries, heads]

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
  var own: array<vec4<f32>, QUADS>;
  var sum: array<vec4<f32>, QUADS>;
  for (var c = 0u; c < QUADS; c++) {
    own[c] = q[q_at + c] * params.scale;
  }

  let seen = vec4<u32>(visible[query]);
  let first = seen.y - seen.x;
  let count = first + seen.w - seen.z;
  var largest = -3.0e38;
  var denominator = 0.0;
  for (var t = 0u; t < count; t++) {
    let key = select(seen.z + t - first, seen.x + t, t < first);
    let k_at = (key * params.k_stride + params.k_offset) / 4u + column;
    var products = own[0] * k[k_at];
    for (var c = 1u; c < QUADS; c++) {
      products += own[c] * k[k_at + c];
    }
    let score = dot(products, vec4<f32>(1.0));
    let larger = max(largest, score);
    let rescale = exp(largest - larger);
    let p = exp(score - larger);
    largest = larger;
    denominator = denominator * rescale + p;
    let v_at = (key * params.v_stride + params.v_offset) / 4u + column;
    for (var c = 0u; c < QUADS; c++) {
      sum[c] = sum[c] * rescale + p * v[v_at + c];
    }
  }

  // A query that sees nothing gets 0.
  let out_at = query * params.heads * QUADS + column;
  for (var c = 0u; c < QUADS; c++) {
    out[out_at + c] = select(sum[c] / denominator, vec4<f32>(), count == 0u);
  }
  log_sum_exp[number] = select(largest + log(denominator), 0.0, count == 0u);
}
