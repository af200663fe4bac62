// Exercise 2: fuse a bias.
//
// This product is right, but a layer that has a bias would need a second kernel, which reads and writes the whole result again.
// Add the bias where the sum is stored: out = alpha * (op(a) . op(b)) + bias. The contract calls the buffer `bias` ([n]), and the
// constant that tells whether there is one `HAS_BIAS`.
//
//     npx ptdpc lab exercise 2 --check <your copy>
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

// One invocation per element of the result.
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
