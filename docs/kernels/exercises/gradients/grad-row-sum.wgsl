// Gradient of a sum: out[r] = sum of x[r, ...]: grad_x[r, c] = grad_out[r]
//
//     npx ptdpc lab exercise grad-row-sum --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad_out: array<f32>;  // [rows]
@group(0) @binding(2) var<storage, read_write> grad_x: array<f32>;  // [rows, columns]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  if (row >= params.rows || column >= params.columns) {
    return;
  }
  grad_x[row * params.columns + column] = 0.0;
}
