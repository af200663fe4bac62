// Matrix times vector: out[row] = sum over p of a[row, p] * x[p]
//
//     npx ptdpc lab exercise matrix-vector --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;  // [rows, k]
@group(0) @binding(2) var<storage, read> x: array<f32>;  // [k]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [rows]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  var sum = 0.0;
  // Your loop.
  out[row] = sum;
}
