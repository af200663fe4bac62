// Gradient of a broadcast: out[r, c] = x[r, c] + shift[c]: grad_shift[c] = sum over rows of grad_out[r, c]
//
//     npx ptdpc lab exercise grad-shift --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad_out: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read_write> grad_shift: array<f32>;  // [columns]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x;
  if (column >= params.columns) {
    return;
  }
  var sum = 0.0;
  sum = grad_out[column];
  grad_shift[column] = sum;
}
