// Matrix product for hardware, above the shipped `tiled`: a workgroup of 16 x 16 computes a 128 x 128 tile, 8 x 8 elements an
// invocation, from slices of 8 along k in workgroup memory, read four numbers at a time.
//
// Per step of k an invocation reads 16 numbers of workgroup memory for 64 products (`tiled`: 8 for 16), and a number of device
// memory serves 128 products (`tiled`: 64). Without epilogues, to be short.
//
// lab: covers 128 x 128

struct Params {
  m: u32,
  n: u32,
  k: u32,
  alpha: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;          // [m, k], or [k, m] where TRANSPOSE_A
@group(0) @binding(2) var<storage, read> b: array<f32>;          // [k, n], or [n, k] where TRANSPOSE_B
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [m, n]

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;

fn a_at(row: u32, p: u32) -> f32 {
  return a[select(row * params.k + p, p * params.m + row, TRANSPOSE_A)];
}

fn b_at(p: u32, column: u32) -> f32 {
  return b[select(p * params.n + column, column * params.k + p, TRANSPOSE_B)];
}

const TILE = 128u;  // rows and columns of the result per workgroup
const SLICE = 8u;   // depth of one slice along k
const QUADS = 32u;  // TILE / 4

var<workgroup> a_tile: array<vec4<f32>, 256>;  // [SLICE][QUADS]
var<workgroup> b_tile: array<vec4<f32>, 256>;

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let row0 = group.y * TILE;
  let column0 = group.x * TILE;
  // Four numbers of each operand an invocation and slice. Neighbours read along the operand's contiguous axis.
  let a_p = select(index % SLICE, index / QUADS, TRANSPOSE_A);
  let a_quad = select(index / SLICE, index % QUADS, TRANSPOSE_A);
  let b_p = select(index / QUADS, index % SLICE, TRANSPOSE_B);
  let b_quad = select(index % QUADS, index / SLICE, TRANSPOSE_B);

  var low = array<vec4<f32>, 8>();   // columns 4 * x to 4 * x + 3 of the tile
  var high = array<vec4<f32>, 8>();  // the same, 64 to the right
  for (var k0 = 0u; k0 < params.k; k0 += SLICE) {
    var left = vec4<f32>();
    var right = vec4<f32>();
    for (var j = 0u; j < 4u; j++) {
      let row = row0 + 4u * a_quad + j;
      if (row < params.m && k0 + a_p < params.k) {
        left[j] = a_at(row, k0 + a_p);
      }
      let column = column0 + 4u * b_quad + j;
      if (column < params.n && k0 + b_p < params.k) {
        right[j] = b_at(k0 + b_p, column);
      }
    }
    a_tile[a_p * QUADS + a_quad] = left;
    b_tile[b_p * QUADS + b_quad] = right;
    workgroupBarrier();

    for (var p = 0u; p < SLICE; p++) {
      let rows0 = a_tile[p * QUADS + 2u * local.y];
      let rows1 = a_tile[p * QUADS + 2u * local.y + 1u];
      let columns0 = b_tile[p * QUADS + local.x];
      let columns1 = b_tile[p * QUADS + 16u + local.x];
      for (var i = 0u; i < 4u; i++) {
        low[i] += rows0[i] * columns0;
        high[i] += rows0[i] * columns1;
        low[i + 4u] += rows1[i] * columns0;
        high[i + 4u] += rows1[i] * columns1;
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 8u; i++) {
    let row = row0 + 8u * local.y + i;
    for (var j = 0u; j < 4u; j++) {
      store(row, column0 + 4u * local.x + j, low[i][j]);
      store(row, column0 + 64u + 4u * local.x + j, high[i][j]);
    }
  }
}

fn store(row: u32, column: u32, sum: f32) {
  if (row < params.m && column < params.n) {
    out[row * params.n + column] = params.alpha * sum;
  }
}
