// Gradient of a product by its left operand: out = a b: grad_a[row, p] = sum over n of grad_out[row, n] * b[p, n]
//
//     npx ptdpc lab exercise grad-left --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  m: u32,
  n: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad_out: array<f32>;  // [m, n]
@group(0) @binding(2) var<storage, read> b: array<f32>;  // [k, n]
@group(0) @binding(3) var<storage, read_write> grad_a: array<f32>;  // [m, k]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  if (row >= params.m || column >= params.k) {
    return;
  }
  var sum = 0.0;
  for (var j = 0u; j < params.n; j++) {
    sum += grad_out[row * params.n + j] * b[column * params.n + j];
  }
  grad_a[row * params.k + column] = sum;
}
