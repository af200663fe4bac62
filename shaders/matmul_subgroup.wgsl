// Rung of the ladder for adapters whose instructions, not whose memory, are the limit (software ones above all): every
// lane computes 8 rows x 4 columns and takes k four at a time, so that five loads of four numbers feed 128 products. Each
// lane loads the left operand's numbers for one row only; the others get them through the subgroup.
//
// Needs subgroups of at least 8, k and n that are multiples of 4, and a left operand that is not transposed.
// Rows and columns past the edge read a clamped address and are not stored; no lane may leave early, all take part in
// the broadcasts.

@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;  // [m, k / 4]
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;  // [k, n / 4], or [n, k / 4] transposed

const ROWS = 8u;
const LANES = 64u;

// One row of the result: four columns gain x . (rows b0..b3 of the right operand).
fn combine(x: vec4<f32>, b0: vec4<f32>, b1: vec4<f32>, b2: vec4<f32>, b3: vec4<f32>) -> vec4<f32> {
  return x.x * b0 + x.y * b1 + x.z * b2 + x.w * b3;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  let row = group.y * ROWS;
  let quad = group.x * LANES + lane;
  let k_quads = params.k / 4u;
  let n_quads = params.n / 4u;
  let own_row = min(row + subgroup_lane % ROWS, params.m - 1u) * k_quads;
  let own_quad = min(quad, n_quads - 1u);

  var sum: array<vec4<f32>, ROWS>;
  for (var p = 0u; p < k_quads; p++) {
    let own = a[own_row + p];
    var b0: vec4<f32>;
    var b1: vec4<f32>;
    var b2: vec4<f32>;
    var b3: vec4<f32>;
    if (TRANSPOSE_B) {
      let at = own_quad * 4u * k_quads + p;
      let c0 = b[at];
      let c1 = b[at + k_quads];
      let c2 = b[at + 2u * k_quads];
      let c3 = b[at + 3u * k_quads];
      b0 = vec4<f32>(c0.x, c1.x, c2.x, c3.x);
      b1 = vec4<f32>(c0.y, c1.y, c2.y, c3.y);
      b2 = vec4<f32>(c0.z, c1.z, c2.z, c3.z);
      b3 = vec4<f32>(c0.w, c1.w, c2.w, c3.w);
    } else {
      let at = p * 4u * n_quads + own_quad;
      b0 = b[at];
      b1 = b[at + n_quads];
      b2 = b[at + 2u * n_quads];
      b3 = b[at + 3u * n_quads];
    }
    sum[0] += combine(subgroupBroadcast(own, 0u), b0, b1, b2, b3);
    sum[1] += combine(subgroupBroadcast(own, 1u), b0, b1, b2, b3);
    sum[2] += combine(subgroupBroadcast(own, 2u), b0, b1, b2, b3);
    sum[3] += combine(subgroupBroadcast(own, 3u), b0, b1, b2, b3);
    sum[4] += combine(subgroupBroadcast(own, 4u), b0, b1, b2, b3);
    sum[5] += combine(subgroupBroadcast(own, 5u), b0, b1, b2, b3);
    sum[6] += combine(subgroupBroadcast(own, 6u), b0, b1, b2, b3);
    sum[7] += combine(subgroupBroadcast(own, 7u), b0, b1, b2, b3);
  }

  if (quad >= n_quads) {
    return;
  }
  for (var i = 0u; i < ROWS; i++) {
    if (row + i < params.m) {
      for (var j = 0u; j < 4u; j++) {
        store(row + i, quad * 4u + j, sum[i][j]);
      }
    }
  }
}
