// Rung of the ladder for adapters whose instructions, not whose memory, are the limit (software ones above all). A load by
// which lanes read different addresses costs such an adapter as much as sixty vector products, so a subgroup of 8 computes a
// tile as large as its stack can hold: 32 rows x 64 columns, 8 columns a lane. k is taken four at a time: 12 loads of
// four numbers feed 1,024 products of a lane. Each lane loads the left operand's numbers for every eighth row; the others get
// them through the subgroup.
//
// Needs subgroups of at least 8, k and n that are multiples of 4, and a left operand that is not transposed.
// Rows and columns past the edge read a clamped address and are not stored; no lane may leave early, all take part in
// the broadcasts.

@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;  // [m, k / 4]
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;  // [k, n / 4], or [n, k / 4] transposed

const ROWS = 32u;
const LANES = 32u;

// Four columns of the right operand at four steps of k.
struct Block {
  k0: vec4<f32>,
  k1: vec4<f32>,
  k2: vec4<f32>,
  k3: vec4<f32>,
}

fn load_block(p: u32, quad: u32) -> Block {
  if (TRANSPOSE_B) {
    let stride = params.k / 4u;
    let at = quad * 4u * stride + p;
    let c0 = b[at];
    let c1 = b[at + stride];
    let c2 = b[at + 2u * stride];
    let c3 = b[at + 3u * stride];
    return Block(
      vec4<f32>(c0.x, c1.x, c2.x, c3.x),
      vec4<f32>(c0.y, c1.y, c2.y, c3.y),
      vec4<f32>(c0.z, c1.z, c2.z, c3.z),
      vec4<f32>(c0.w, c1.w, c2.w, c3.w),
    );
  }
  let stride = params.n / 4u;
  let at = p * 4u * stride + quad;
  return Block(b[at], b[at + stride], b[at + 2u * stride], b[at + 3u * stride]);
}

// Eight rows of the result in two blocks of four columns.
struct Rows {
  left: array<vec4<f32>, 8>,
  right: array<vec4<f32>, 8>,
}

// One of the rows gains x . block.
fn add_row(sum: ptr<function, Rows>, i: u32, x: vec4<f32>, left: Block, right: Block) {
  (*sum).left[i] += x.x * left.k0 + x.y * left.k1 + x.z * left.k2 + x.w * left.k3;
  (*sum).right[i] += x.x * right.k0 + x.y * right.k1 + x.z * right.k2 + x.w * right.k3;
}

// Eight rows gain their products; lane i of the subgroup holds row i's numbers in `own`.
fn add_rows(sum: ptr<function, Rows>, own: vec4<f32>, left: Block, right: Block) {
  add_row(sum, 0u, subgroupBroadcast(own, 0u), left, right);
  add_row(sum, 1u, subgroupBroadcast(own, 1u), left, right);
  add_row(sum, 2u, subgroupBroadcast(own, 2u), left, right);
  add_row(sum, 3u, subgroupBroadcast(own, 3u), left, right);
  add_row(sum, 4u, subgroupBroadcast(own, 4u), left, right);
  add_row(sum, 5u, subgroupBroadcast(own, 5u), left, right);
  add_row(sum, 6u, subgroupBroadcast(own, 6u), left, right);
  add_row(sum, 7u, subgroupBroadcast(own, 7u), left, right);
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
) {
  let row = group.y * ROWS;
  let k_quads = params.k / 4u;
  let n_quads = params.n / 4u;
  let quad = group.x * 2u * LANES + lane;
  let left_quad = min(quad, n_quads - 1u);
  let right_quad = min(quad + LANES, n_quads - 1u);
  let own_row = row + subgroup_lane % 8u;
  let a0 = min(own_row, params.m - 1u) * k_quads;
  let a1 = min(own_row + 8u, params.m - 1u) * k_quads;
  let a2 = min(own_row + 16u, params.m - 1u) * k_quads;
  let a3 = min(own_row + 24u, params.m - 1u) * k_quads;

  var sum0: Rows;
  var sum1: Rows;
  var sum2: Rows;
  var sum3: Rows;
  for (var p = 0u; p < k_quads; p++) {
    // All loads before all arithmetic: a software adapter's loads are branches, and sums do not stay in registers across them.
    let left = load_block(p, left_quad);
    let right = load_block(p, right_quad);
    let own0 = a[a0 + p];
    let own1 = a[a1 + p];
    let own2 = a[a2 + p];
    let own3 = a[a3 + p];
    add_rows(&sum0, own0, left, right);
    add_rows(&sum1, own1, left, right);
    add_rows(&sum2, own2, left, right);
    add_rows(&sum3, own3, left, right);
  }

  // A copy in memory, so that the epilogue is a loop: written out 256 times, it takes seconds to compile.
  var result: array<vec4<f32>, 64>;
  for (var i = 0u; i < 8u; i++) {
    result[i] = sum0.left[i];
    result[i + 8u] = sum1.left[i];
    result[i + 16u] = sum2.left[i];
    result[i + 24u] = sum3.left[i];
    result[i + 32u] = sum0.right[i];
    result[i + 40u] = sum1.right[i];
    result[i + 48u] = sum2.right[i];
    result[i + 56u] = sum3.right[i];
  }
  let rows = min(ROWS, params.m - row);
  for (var i = 0u; i < 2u * rows; i++) {
    let half = i / rows;
    let at = quad + half * LANES;
    if (at < n_quads) {
      let sum = result[half * ROWS + i % rows];
      for (var j = 0u; j < 4u; j++) {
        store(row + i % rows, at * 4u + j, sum[j]);
      }
    }
  }
}
