// Matrix product: out[row, column] = sum over p of a[row, p] * b[p, column]
//
//     npx ptdpc lab exercise product --check <your copy>
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

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  if (row >= params.m || column >= params.n) {
    return;
  }
  var sum = 0.0;
  for (var p = 0u; p < params.k; p++) {
    sum += a[row * params.k + p] * b[p * params.n + column];
  }
  out[row * params.n + column] = sum;
}
