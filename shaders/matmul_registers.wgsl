// Second rung: one invocation computes an 8 x 4 block in registers, so that twelve loads feed thirty-two products.
// No workgroup memory and no barrier: on adapters without fast shared memory (software ones) this is the fastest rung so far.
//
// Rows and columns past the edge read a clamped address and are not stored.

// #include "matmul_scalar.wgsl"

const ROWS = 8u;
const COLUMNS = 4u;

@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y * ROWS;
  let column = id.x * COLUMNS;
  if (row >= params.m || column >= params.n) {
    return;
  }
  let last_row = params.m - 1u;
  let last_column = params.n - 1u;

  // Start and step of each operand along k.
  let a_step = select(1u, params.m, TRANSPOSE_A);
  let a_pitch = select(params.k, 1u, TRANSPOSE_A);
  var a_from: array<u32, ROWS>;
  for (var i = 0u; i < ROWS; i++) {
    a_from[i] = min(row + i, last_row) * a_pitch;
  }
  let b_step = select(params.n, 1u, TRANSPOSE_B);
  let b_pitch = select(1u, params.k, TRANSPOSE_B);
  let b_from = vec4<u32>(column, min(column + 1u, last_column), min(column + 2u, last_column), min(column + 3u, last_column))
      * b_pitch;

  var sum: array<vec4<f32>, ROWS>;
  for (var p = 0u; p < params.k; p++) {
    let bp = b_from + p * b_step;
    let right = vec4<f32>(b_number(bp.x), b_number(bp.y), b_number(bp.z), b_number(bp.w));
    let ap = p * a_step;
    for (var i = 0u; i < ROWS; i++) {
      sum[i] += a[a_from[i] + ap] * right;
    }
  }

  for (var i = 0u; i < ROWS; i++) {
    if (row + i < params.m) {
      for (var j = 0u; j < COLUMNS; j++) {
        if (column + j < params.n) {
          store(row + i, column + j, sum[i][j]);
        }
      }
    }
  }
}
