// Gradient of a mean square: out[r] = mean of x[r, ...]^2: what is grad_x?
//
//     npx ptdpc lab exercise grad-mean-square --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read> grad_out: array<f32>;  // [rows]
@group(0) @binding(3) var<storage, read_write> grad_x: array<f32>;  // [rows, columns]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  if (row >= params.rows || column >= params.columns) {
    return;
  }
  let at = row * params.columns + column;
  grad_x[at] = x[at] * grad_out[row];
}
