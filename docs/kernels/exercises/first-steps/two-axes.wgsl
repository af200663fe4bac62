// A grid of two axes: out[row, column] = x[row, column] + shift[column]
//
//     npx ptdpc lab exercise two-axes --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read> shift: array<f32>;  // [columns]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [rows, columns]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  if (row >= params.rows || column >= params.columns) {
    return;
  }
  // Where in the buffer is [row, column]?
}
