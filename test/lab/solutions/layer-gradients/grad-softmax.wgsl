// Gradient of a softmax: grad_x = out * (grad_out - out . grad_out) for each row
//
//     npx ptdpc lab exercise grad-softmax --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> out: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read> grad_out: array<f32>;  // [rows, columns]
@group(0) @binding(3) var<storage, read_write> grad_x: array<f32>;  // [rows, columns]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var along = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    along += out[at + c] * grad_out[at + c];
  }
  for (var c = 0u; c < params.columns; c++) {
    grad_x[at + c] = out[at + c] * (grad_out[at + c] - along);
  }
}
