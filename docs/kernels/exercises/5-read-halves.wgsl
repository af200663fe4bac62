// Exercise 5: read weights in half precision.
//
// CLIP's weights are in half precision, and this product is limited by memory. Read `b` as fp16 values, two per 32-bit word, the first
// one in the low bits (declare it as an array of u32), and compute in single precision as before. WGSL's unpack2x16float needs no
// extension.
//
//     npx ptdpc lab exercise 5 --check <your copy>
//
// lab: covers 16 x 16

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

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x;
  let row = id.y;
  if (row >= params.m || column >= params.n) {
    return;
  }
  var sum = 0.0;
  for (var p = 0u; p < params.k; p++) {
    let left = a[select(row * params.k + p, p * params.m + row, TRANSPOSE_A)];
    let right = b[select(p * params.n + column, column * params.k + p, TRANSPOSE_B)];
    sum += left * right;
  }
  out[row * params.n + column] = params.alpha * sum;
}
