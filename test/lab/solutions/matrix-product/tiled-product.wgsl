// Matrix product by tiles: out[row, column] = sum over p of a[row, p] * b[p, column], by tiles in workgroup memory
//
//     npx ptdpc lab exercise tiled-product --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  m: u32,
  n: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;  // [m, k]
@group(0) @binding(2) var<storage, read> b: array<f32>;  // [k, n]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [m, n]

var<workgroup> tile_a: array<f32, 64>;
var<workgroup> tile_b: array<f32, 64>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  var sum = 0.0;
  for (var first = 0u; first < params.k; first += 8u) {
    var left = 0.0;
    if (row < params.m && first + local.x < params.k) {
      left = a[row * params.k + first + local.x];
    }
    var right = 0.0;
    if (first + local.y < params.k && column < params.n) {
      right = b[(first + local.y) * params.n + column];
    }
    tile_a[local.y * 8u + local.x] = left;
    tile_b[local.y * 8u + local.x] = right;
    workgroupBarrier();
    for (var p = 0u; p < 8u; p++) {
      sum += tile_a[local.y * 8u + p] * tile_b[p * 8u + local.x];
    }
    workgroupBarrier();
  }
  if (row < params.m && column < params.n) {
    out[row * params.n + column] = sum;
  }
}
