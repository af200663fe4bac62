// Attention, a rung above `rows`: one invocation computes two queries of a head, so that a key and a value, once
// loaded, are used for both. The same step as from one element to a block in the matrix product.
//
// Adjacent queries see nearly the same keys: an invocation loops over all keys that any of its queries sees, and a
// query counts only those that it sees itself. Heads of exactly 64 columns; rows that begin at a multiple of 4 elements.
//
// lab: covers 128
// lab: needs headWidth == 64

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
@group(0) @binding(1) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> k: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> v: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> visible: array<vec4<i32>>;      // [queries]: two ranges of keys
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;    // [queries, heads * 64]
@group(0) @binding(6) var<storage, read_write> log_sum_exp: array<f32>;  // [queries, heads]

const QUADS = 16u;   // a head's columns in fours
const QUERIES = 2u;  // of an invocation

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  // One invocation per block of the grid; if queries do not divide evenly there are more blocks: continue in strides.
  let blocks = (params.queries + QUERIES - 1u) / QUERIES;
  let stride = groups.x * groups.y * 64u;
  for (var number = (group.y * groups.x + group.x) * 64u + lane; number < blocks * params.heads; number += stride) {
    attend(number / params.heads * QUERIES, number % params.heads);
  }
}

fn attend(query: u32, head: u32) {
  let column = head * QUADS;
  var own = array<array<vec4<f32>, QUADS>, QUERIES>();
  var sum = array<array<vec4<f32>, QUADS>, QUERIES>();
  var seen = array<vec4<u32>, QUERIES>();
  var largest = array<f32, QUERIES>();
  var denominator = array<f32, QUERIES>();
  // The keys that any of them sees.
  var start = params.keys;
  var end = 0u;
  for (var i = 0u; i < QUERIES; i++) {
    // Past the last query: the last one again, not stored.
    let row = min(query + i, params.queries - 1u);
    let q_at = (row * params.q_stride + params.q_offset) / 4u + column;
    for (var c = 0u; c < QUADS; c++) {
      own[i][c] = q[q_at + c] * params.scale;
    }
    seen[i] = vec4<u32>(visible[row]);
    largest[i] = -3.0e38;
    start = min(start, first_seen(seen[i]));
    end = max(end, end_seen(seen[i]));
  }

  for (var key = start; key < end; key++) {
    let k_at = (key * params.k_stride + params.k_offset) / 4u + column;
    let v_at = (key * params.v_stride + params.v_offset) / 4u + column;
    var products = array<vec4<f32>, QUERIES>();
    for (var c = 0u; c < QUADS; c++) {
      let number = k[k_at + c];
      for (var i = 0u; i < QUERIES; i++) {
        products[i] += own[i][c] * number;
      }
    }
    var rescale = array<f32, QUERIES>();
    var p = array<f32, QUERIES>();
    var counts = array<bool, QUERIES>();
    for (var i = 0u; i < QUERIES; i++) {
      let score = dot(products[i], vec4<f32>(1.0));
      counts[i] = sees(seen[i], key);
      let larger = select(largest[i], max(largest[i], score), counts[i]);
      rescale[i] = exp(largest[i] - larger);
      p[i] = select(0.0, exp(score - larger), counts[i]);
      largest[i] = larger;
      denominator[i] = denominator[i] * rescale[i] + p[i];
    }
    for (var c = 0u; c < QUADS; c++) {
      let number = v[v_at + c];
      for (var i = 0u; i < QUERIES; i++) {
        // A weight of 0 would let a NaN in.
        sum[i][c] = select(sum[i][c], sum[i][c] * rescale[i] + p[i] * number, counts[i]);
      }
    }
  }

  for (var i = 0u; i < min(QUERIES, params.queries - query); i++) {
    // Such a query gets 0.
    let nothing = first_seen(seen[i]) >= end_seen(seen[i]);
    let out_at = (query + i) * params.heads * QUADS + column;
    for (var c = 0u; c < QUADS; c++) {
      out[out_at + c] = select(sum[i][c] / denominator[i], vec4<f32>(), nothing);
    }
    log_sum_exp[(query + i) * params.heads + head] = select(largest[i] + log(denominator[i]), 0.0, nothing);
  }
}

// Whether a query sees a key, and the bounds of all that it sees.
fn sees(seen: vec4<u32>, key: u32) -> bool {
  return (seen.x <= key && key < seen.y) || (seen.z <= key && key < seen.w);
}

fn first_seen(seen: vec4<u32>) -> u32 {
  return min(select(params.keys, seen.x, seen.x < seen.y), select(params.keys, seen.z, seen.z < seen.w));
}

fn end_seen(seen: vec4<u32>) -> u32 {
  return max(select(0u, seen.y, seen.x < seen.y), select(0u, seen.w, seen.z < seen.w));
}
