// Gradient of a log-sum-exp: out[r] = log(sum of exp(x[r, ...])): grad_x = grad_out[r] * softmax(x[r, ...])
//
//     npx ptdpc lab exercise grad-log-sum-exp --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read> grad_out: array<f32>;  // [rows]
@group(0) @binding(3) var<storage, read_write> grad_x: array<f32>;  // [rows, columns]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  let largest = 0.0;
  var sum = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    sum += exp(x[at + c] - largest);
  }
  for (var c = 0u; c < params.columns; c++) {
    grad_x[at + c] = grad_out[row] * exp(x[at + c] - largest) / sum;
  }
}
