// Attention for hardware: a workgroup computes 64 queries of one head, and keys and values pass through workgroup memory in
// tiles of 16, as in FlashAttention (Dao and others 2022). Each of them is read from device memory once for 64 queries instead
// of once for each.
//
// Adjacent queries see nearly the same keys: the workgroup loops over all keys that any of its queries sees, and a
// query counts only those that it sees itself. Heads of exactly 64 columns; rows that begin at a multiple of 4 elements.
//
// lab: covers 64
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

const QUADS = 16u;  // a head's columns in fours
const LANES = 64u;
const TILE = 16u;   // keys in workgroup memory at a time

var<workgroup> k_tile: array<vec4<f32>, 256>;  // [TILE][QUADS]
var<workgroup> v_tile: array<vec4<f32>, 256>;
var<workgroup> first_key: atomic<u32>;
var<workgroup> end_key: atomic<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  // Head by head. A workgroup in which one head ends and the next begins processes them one after the other.
  let all = params.queries * params.heads;
  let start = (group.y * groups.x + group.x) * LANES;
  let number = start + lane;
  let last_head = (min(start + LANES, all) - 1u) / params.queries;
  for (var head = start / params.queries; head <= last_head; head++) {
    attend(number % params.queries, head, number < all && number / params.queries == head, lane);
  }
}

// All invocations take part, for the tiles; only those that are `own_head` have a query of this head.
fn attend(query: u32, head: u32, own_head: bool, lane: u32) {
  let column = head * QUADS;
  let seen = select(vec4<u32>(), vec4<u32>(visible[query]), own_head);
  var own = array<vec4<f32>, QUADS>();
  var sum = array<vec4<f32>, QUADS>();
  let q_at = (query * params.q_stride + params.q_offset) / 4u + column;
  for (var c = 0u; c < QUADS; c++) {
    own[c] = q[q_at + c] * params.scale;
  }

  // The keys that any query of the workgroup sees.
  if (lane == 0u) {
    atomicStore(&first_key, params.keys);
    atomicStore(&end_key, 0u);
  }
  workgroupBarrier();
  if (seen.x < seen.y) {
    atomicMin(&first_key, seen.x);
    atomicMax(&end_key, seen.y);
  }
  if (seen.z < seen.w) {
    atomicMin(&first_key, seen.z);
    atomicMax(&end_key, seen.w);
  }
  workgroupBarrier();
  let first = workgroupUniformLoad(&first_key);
  let end = workgroupUniformLoad(&end_key);

  var largest = -3.0e38;
  var denominator = 0.0;
  for (var key0 = first; key0 < end; key0 += TILE) {
    let members = min(TILE, end - key0);
    for (var i = lane; i < members * QUADS; i += LANES) {
      let key = key0 + i / QUADS;
      k_tile[i] = k[(key * params.k_stride + params.k_offset) / 4u + column + i % QUADS];
      v_tile[i] = v[(key * params.v_stride + params.v_offset) / 4u + column + i % QUADS];
    }
    workgroupBarrier();
    for (var t = 0u; t < members; t++) {
      let key = key0 + t;
      if (sees(seen, key)) {
        var products = vec4<f32>();
        for (var c = 0u; c < QUADS; c++) {
          products += own[c] * k_tile[t * QUADS + c];
        }
        let score = dot(products, vec4<f32>(1.0));
        let larger = max(largest, score);
        let rescale = exp(largest - larger);
        let p = exp(score - larger);
        largest = larger;
        denominator = denominator * rescale + p;
        for (var c = 0u; c < QUADS; c++) {
          sum[c] = sum[c] * rescale + p * v_tile[t * QUADS + c];
        }
      }
    }
    workgroupBarrier();
  }

  if (own_head) {
    // A query that sees nothing gets 0.
    let nothing = seen.x >= seen.y && seen.z >= seen.w;
    let out_at = query * params.heads * QUADS + column;
    for (var c = 0u; c < QUADS; c++) {
      out[out_at + c] = select(sum[c] / denominator, vec4<f32>(), nothing);
    }
    log_sum_exp[query * params.heads + head] = select(largest + log(denominator), 0.0, nothing);
  }
}

fn sees(seen: vec4<u32>, key: u32) -> bool {
  return (seen.x <= key && key < seen.y) || (seen.z <= key && key < seen.w);
}
