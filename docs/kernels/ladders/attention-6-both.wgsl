enable subgroups;
// The loop's bounds are the same in a subgroup, by subgroupMin and subgroupMax, but the compiler cannot infer that.
diagnostic(off, subgroup_uniformity);

// Attention, a rung above the shipped `subgroup`: broadcasts, and two queries per invocation as well.
//
// The invocations of a subgroup compute adjacent blocks of queries of one head, which see nearly the same keys. Each of eight
// invocations loads two of a key's sixteen quads; the others get them by broadcast.
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
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  // Head by head, so that neighbours share a head. One invocation per block of the grid; if queries do not divide
  // evenly there are more blocks: continue in strides.
  let blocks = (params.queries + QUERIES - 1u) / QUERIES;
  let stride = groups.x * groups.y * 64u;
  let group_start = (group.y * groups.x + group.x) * 64u;
  for (var at = group_start; at < blocks * params.heads; at += stride) {
    let number = min(at + lane, blocks * params.heads - 1u);
    let head = number / blocks;
    let last_head = subgroupMax(head);
    for (var h = subgroupMin(head); h <= last_head; h++) {
      attend(number % blocks * QUERIES, h, h == head && at + lane < blocks * params.heads, subgroup_lane % 8u);
    }
  }
}

fn attend(query: u32, head: u32, stored: bool, slot: u32) {
  let column = head * QUADS;
  var own = array<array<vec4<f32>, QUADS>, QUERIES>();
  var sum = array<array<vec4<f32>, QUADS>, QUERIES>();
  var seen = array<vec4<u32>, QUERIES>();
  var largest = array<f32, QUERIES>();
  var denominator = array<f32, QUERIES>();
  // The keys that any query of the subgroup sees.
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
  start = subgroupMin(select(params.keys, start, stored));
  end = subgroupMax(select(0u, end, stored));

  for (var key = start; key < end; key++) {
    let k_at = (key * params.k_stride + params.k_offset) / 4u + column;
    let v_at = (key * params.v_stride + params.v_offset) / 4u + column;
    let k_low = k[k_at + slot];
    let k_high = k[k_at + 8u + slot];
    let v_low = v[v_at + slot];
    let v_high = v[v_at + 8u + slot];
    var products = array<vec4<f32>, QUERIES>();
    let k0 = subgroupBroadcast(k_low, 0u);
    let k1 = subgroupBroadcast(k_low, 1u);
    let k2 = subgroupBroadcast(k_low, 2u);
    let k3 = subgroupBroadcast(k_low, 3u);
    let k4 = subgroupBroadcast(k_low, 4u);
    let k5 = subgroupBroadcast(k_low, 5u);
    let k6 = subgroupBroadcast(k_low, 6u);
    let k7 = subgroupBroadcast(k_low, 7u);
    let k8 = subgroupBroadcast(k_high, 0u);
    let k9 = subgroupBroadcast(k_high, 1u);
    let k10 = subgroupBroadcast(k_high, 2u);
    let k11 = subgroupBroadcast(k_high, 3u);
    let k12 = subgroupBroadcast(k_high, 4u);
    let k13 = subgroupBroadcast(k_high, 5u);
    let k14 = subgroupBroadcast(k_high, 6u);
    let k15 = subgroupBroadcast(k_high, 7u);
    for (var i = 0u; i < QUERIES; i++) {
      products[i] = own[i][0] * k0 + own[i][1] * k1 + own[i][2] * k2 + own[i][3] * k3
        + own[i][4] * k4 + own[i][5] * k5 + own[i][6] * k6 + own[i][7] * k7
        + own[i][8] * k8 + own[i][9] * k9 + own[i][10] * k10 + own[i][11] * k11
        + own[i][12] * k12 + own[i][13] * k13 + own[i][14] * k14 + own[i][15] * k15;
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
    let v0 = subgroupBroadcast(v_low, 0u);
    let v1 = subgroupBroadcast(v_low, 1u);
    let v2 = subgroupBroadcast(v_low, 2u);
    let v3 = subgroupBroadcast(v_low, 3u);
    let v4 = subgroupBroadcast(v_low, 4u);
    let v5 = subgroupBroadcast(v_low, 5u);
    let v6 = subgroupBroadcast(v_low, 6u);
    let v7 = subgroupBroadcast(v_low, 7u);
    let v8 = subgroupBroadcast(v_high, 0u);
    let v9 = subgroupBroadcast(v_high, 1u);
    let v10 = subgroupBroadcast(v_high, 2u);
    let v11 = subgroupBroadcast(v_high, 3u);
    let v12 = subgroupBroadcast(v_high, 4u);
    let v13 = subgroupBroadcast(v_high, 5u);
    let v14 = subgroupBroadcast(v_high, 6u);
    let v15 = subgroupBroadcast(v_high, 7u);
    for (var i = 0u; i < QUERIES; i++) {
      // A weight of 0 would let a NaN in.
      if (counts[i]) {
        sum[i][0] = sum[i][0] * rescale[i] + p[i] * v0;
        sum[i][1] = sum[i][1] * rescale[i] + p[i] * v1;
        sum[i][2] = sum[i][2] * rescale[i] + p[i] * v2;
        sum[i][3] = sum[i][3] * rescale[i] + p[i] * v3;
        sum[i][4] = sum[i][4] * rescale[i] + p[i] * v4;
        sum[i][5] = sum[i][5] * rescale[i] + p[i] * v5;
        sum[i][6] = sum[i][6] * rescale[i] + p[i] * v6;
        sum[i][7] = sum[i][7] * rescale[i] + p[i] * v7;
        sum[i][8] = sum[i][8] * rescale[i] + p[i] * v8;
        sum[i][9] = sum[i][9] * rescale[i] + p[i] * v9;
        sum[i][10] = sum[i][10] * rescale[i] + p[i] * v10;
        sum[i][11] = sum[i][11] * rescale[i] + p[i] * v11;
        sum[i][12] = sum[i][12] * rescale[i] + p[i] * v12;
        sum[i][13] = sum[i][13] * rescale[i] + p[i] * v13;
        sum[i][14] = sum[i][14] * rescale[i] + p[i] * v14;
        sum[i][15] = sum[i][15] * rescale[i] + p[i] * v15;
      }
    }
  }

  if (stored) {
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
