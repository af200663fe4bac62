// Third rung: a workgroup of 16 x 16 computes a 64 x 64 tile. Both operands pass through workgroup memory in slices of
// 16 along k, so each value is read from device memory once per tile instead of once per element; every invocation
// keeps a 4 x 4 block in registers. The textbook approach on a GPU; matmul_blocks.wgsl improves on it.

// #include "matmul_scalar.wgsl"

const TILE = 64u;   // rows and columns of the result per workgroup
const SLICE = 16u;  // depth of one slice along k
const SIDE = 16u;   // invocations along each axis
const BLOCK = 4u;   // rows and columns per invocation = TILE / SIDE

var<workgroup> a_tile: array<f32, 1024>;  // [SLICE][TILE]
var<workgroup> b_tile: array<f32, 1024>;  // [SLICE][TILE]

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let row0 = group.y * TILE;
  let column0 = group.x * TILE;
  var sum: array<vec4<f32>, BLOCK>;

  for (var k0 = 0u; k0 < params.k; k0 += SLICE) {
    // 1,024 values of each operand by 256 invocations. Neighbours read along the operand's contiguous axis.
    for (var load = index; load < TILE * SLICE; load += SIDE * SIDE) {
      let a_p = select(load % SLICE, load / TILE, TRANSPOSE_A);
      let a_row = select(load / SLICE, load % TILE, TRANSPOSE_A);
      var value = 0.0;
      if (row0 + a_row < params.m && k0 + a_p < params.k) {
        value = a_at(row0 + a_row, k0 + a_p);
      }
      a_tile[a_p * TILE + a_row] = value;

      let b_p = select(load / TILE, load % SLICE, TRANSPOSE_B);
      let b_column = select(load % TILE, load / SLICE, TRANSPOSE_B);
      value = 0.0;
      if (column0 + b_column < params.n && k0 + b_p < params.k) {
        value = b_at(k0 + b_p, column0 + b_column);
      }
      b_tile[b_p * TILE + b_column] = value;
    }
    workgroupBarrier();

    for (var p = 0u; p < SLICE; p++) {
      // Columns are interleaved (x, x + 16, ...) so that neighbouring invocations touch neighbouring banks.
      let at = p * TILE + local.x;
      let right = vec4<f32>(b_tile[at], b_tile[at + SIDE], b_tile[at + 2u * SIDE], b_tile[at + 3u * SIDE]);
      for (var i = 0u; i < BLOCK; i++) {
        sum[i] += a_tile[p * TILE + local.y * BLOCK + i] * right;
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < BLOCK; i++) {
    let row = row0 + local.y * BLOCK + i;
    for (var j = 0u; j < BLOCK; j++) {
      let column = column0 + local.x + j * SIDE;
      if (row < params.m && column < params.n) {
        store(row, column, sum[i][j]);
      }
    }
  }
}
