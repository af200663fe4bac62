// Gradient of a division by the root mean square: out = x * f with f = 1 / sqrt(mean of x^2 + 1e-5): grad_x = f * (grad_out - out * mean of (out * grad_out))
//
//     npx ptdpc lab exercise grad-rms-norm --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read> grad_out: array<f32>;  // [rows, columns]
@group(0) @binding(3) var<storage, read_write> grad_x: array<f32>;  // [rows, columns]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  let count = f32(params.columns);
  var squares = 0.0;
  var along = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    squares += x[at + c] * x[at + c];
    along += x[at + c] * grad_out[at + c];
  }
  let f = inverseSqrt(squares / count + 1e-5);
  for (var c = 0u; c < params.columns; c++) {
    grad_x[at + c] = f * (grad_out[at + c] - x[at + c] * f * f * along / count);
  }
}
