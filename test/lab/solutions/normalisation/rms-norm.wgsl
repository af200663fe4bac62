// Divide by the root mean square: out[row, c] = x[row, c] / sqrt(mean of x^2 + 1e-5)
//
//     npx ptdpc lab exercise rms-norm --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;  // [rows, columns]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var squares = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    squares += x[at + c] * x[at + c];
  }
  let factor = inverseSqrt(squares / f32(params.columns) + 1e-5);
  for (var c = 0u; c < params.columns; c++) {
    out[at + c] = x[at + c] * factor;
  }
}
