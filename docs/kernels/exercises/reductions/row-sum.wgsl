// Sum of each row: out[row] = sum of x[row, ...]
//
//     npx ptdpc lab exercise row-sum --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;  // [rows]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  var sum = 0.0;
  // A loop over the columns.
  out[row] = sum;
}
