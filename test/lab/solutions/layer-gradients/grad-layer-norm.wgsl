// Gradient of a layer normalisation: grad_x = f * (grad_out - mean of grad_out - y * mean of (y * grad_out)), y the normalised row
//
//     npx ptdpc lab exercise grad-layer-norm --check <your copy>
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
  var mean = 0.0;
  var grad_mean = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    mean += x[at + c] / count;
    grad_mean += grad_out[at + c] / count;
  }
  var squares = 0.0;
  var along = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    let off = x[at + c] - mean;
    squares += off * off;
    along += off * grad_out[at + c];
  }
  let f = inverseSqrt(squares / count + 1e-5);
  for (var c = 0u; c < params.columns; c++) {
    let y = (x[at + c] - mean) * f;
    grad_x[at + c] = f * (grad_out[at + c] - grad_mean - y * f * along / count);
  }
}
