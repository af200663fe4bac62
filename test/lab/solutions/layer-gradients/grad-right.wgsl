// Gradient of a product by its right operand: out = a b: grad_b[p, column] = sum over rows of a[row, p] * grad_out[row, column]
//
//     npx ptdpc lab exercise grad-right --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  m: u32,
  n: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;  // [m, k]
@group(0) @binding(2) var<storage, read> grad_out: array<f32>;  // [m, n]
@group(0) @binding(3) var<storage, read_write> grad_b: array<f32>;  // [k, n]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  if (row >= params.k || column >= params.n) {
    return;
  }
  var sum = 0.0;
  for (var i = 0u; i < params.m; i++) {
    sum += a[i * params.k + row] * grad_out[i * params.n + column];
  }
  grad_b[row * params.n + column] = sum;
}
