// For few rows, a text's or an image's: such a product is limited by reading b, and a large tile has few invocations to read it with. Here a workgroup
// of 128 computes 8 x 16 elements, one each, so that n columns make n / 16 workgroups, and slices are deep: an invocation loads six quads before it
// waits, and a workgroup waits once in 128 steps of k, not in 16. With more rows than 8, b is read again for each 8 of them.
//
// Both tiles are [rows or columns][SLICE], in quads along k, so that a step of four values costs an invocation two loads. One quad of padding
// behind each row or column puts the quads that neighbours read on different banks.
//
// Needs k and n that are multiples of 4, and a left operand that is not transposed. Rows and columns past the edge read a clamped address and are
// not stored; steps of k past the edge are zeros in both tiles. The sum runs along k in order, so that the bits are those of matmul_blocks.wgsl in one part, and the choice may depend on the rows.

// #include "matmul_quads.wgsl"
// #include "matmul_store.wgsl"

const TILE_ROWS = 8u;  // of the result, per workgroup
const TILE_COLUMNS = 16u;
const INVOCATIONS = 128u;  // TILE_ROWS * TILE_COLUMNS
const SLICE_QUADS = 32u;   // depth of one slice along k, in quads
const STRIDE = 33u;        // quads from one row or column of a tile to the next
const A_QUADS = 2u;        // quads of a slice that one invocation loads: TILE_ROWS * SLICE_QUADS / INVOCATIONS
const B_QUADS = 4u;

var<workgroup> a_tile: array<vec4<f32>, 264>;  // [TILE_ROWS][STRIDE]
var<workgroup> b_tile: array<vec4<f32>, 528>;  // [TILE_COLUMNS][STRIDE]

// Quad `at` of the slice of a that begins at quad `q0` of k: quads along k first, then rows.
fn load_a(row0: u32, q0: u32, at: u32) -> vec4<f32> {
  let q = q0 + at % SLICE_QUADS;
  if (q >= params.k / 4u) {
    return vec4<f32>();
  }
  let row = min(row0 + at / SLICE_QUADS, params.m - 1u);
  return a[row * (params.k / 4u) + q];
}

// Quad `at` of the slice of b: along k first as for a, if b is stored along k; else along the columns first.
fn load_b(column0: u32, q0: u32, at: u32) -> vec4<f32> {
  if (TRANSPOSE_B) {
    let q = q0 + at % SLICE_QUADS;
    if (q >= params.k / 4u) {
      return vec4<f32>();
    }
    let column = min(column0 + at / SLICE_QUADS, params.n - 1u);
    return b_quad(column * (params.k / 4u) + q);
  }
  let p = q0 * 4u + at / (TILE_COLUMNS / 4u);
  if (p >= params.k) {
    return vec4<f32>();
  }
  let quad = min(column0 / 4u + at % (TILE_COLUMNS / 4u), params.n / 4u - 1u);
  return b_quad(p * (params.n / 4u) + quad);
}

fn keep_a(at: u32, quad: vec4<f32>) {
  a_tile[at / SLICE_QUADS * STRIDE + at % SLICE_QUADS] = quad;
}

fn keep_b(at: u32, quad: vec4<f32>) {
  if (TRANSPOSE_B) {
    b_tile[at / SLICE_QUADS * STRIDE + at % SLICE_QUADS] = quad;
    return;
  }
  let p = at / (TILE_COLUMNS / 4u);
  let to = at % (TILE_COLUMNS / 4u) * 4u * STRIDE + p / 4u;
  b_tile[to][p % 4u] = quad.x;
  b_tile[to + STRIDE][p % 4u] = quad.y;
  b_tile[to + 2u * STRIDE][p % 4u] = quad.z;
  b_tile[to + 3u * STRIDE][p % 4u] = quad.w;
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let row0 = group.y * TILE_ROWS;
  let column0 = group.x * TILE_COLUMNS;
  let own_row = index / TILE_COLUMNS;
  let own_column = index % TILE_COLUMNS;
  var sum = 0.0;
  var next_a: array<vec4<f32>, A_QUADS>;
  var next_b: array<vec4<f32>, B_QUADS>;
  for (var i = 0u; i < A_QUADS; i++) {
    next_a[i] = load_a(row0, 0u, index + i * INVOCATIONS);
  }
  for (var i = 0u; i < B_QUADS; i++) {
    next_b[i] = load_b(column0, 0u, index + i * INVOCATIONS);
  }

  for (var q0 = 0u; q0 < params.k / 4u; q0 += SLICE_QUADS) {
    for (var i = 0u; i < A_QUADS; i++) {
      keep_a(index + i * INVOCATIONS, next_a[i]);
    }
    for (var i = 0u; i < B_QUADS; i++) {
      keep_b(index + i * INVOCATIONS, next_b[i]);
    }
    workgroupBarrier();
    for (var i = 0u; i < A_QUADS; i++) {
      next_a[i] = load_a(row0, q0 + SLICE_QUADS, index + i * INVOCATIONS);
    }
    for (var i = 0u; i < B_QUADS; i++) {
      next_b[i] = load_b(column0, q0 + SLICE_QUADS, index + i * INVOCATIONS);
    }
    for (var q = 0u; q < SLICE_QUADS; q++) {
      let left = a_tile[own_row * STRIDE + q];
      let right = b_tile[own_column * STRIDE + q];
      sum += left.x * right.x;
      sum += left.y * right.y;
      sum += left.z * right.z;
      sum += left.w * right.w;
    }
    workgroupBarrier();
  }

  let row = row0 + own_row;
  let column = column0 + own_column;
  if (row < params.m && column < params.n) {
    store(row, column, sum);
  }
}
