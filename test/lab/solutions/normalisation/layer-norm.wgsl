// Layer normalisation: out[row, c] = (x[row, c] - mean) / sqrt(variance + 1e-5) * gain[c] + shift[c]
//
//     npx ptdpc lab exercise layer-norm --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read> gain: array<f32>;  // [columns]
@group(0) @binding(3) var<storage, read> shift: array<f32>;  // [columns]
@group(0) @binding(4) var<storage, read_write> out: array<f32>;  // [rows, columns]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  let count = f32(params.columns);
  var sum = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    sum += x[at + c];
  }
  let mean = sum / count;
  var squares = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    let off = x[at + c] - mean;
    squares += off * off;
  }
  let factor = inverseSqrt(squares / count + 1e-5);
  for (var c = 0u; c < params.columns; c++) {
    out[at + c] = (x[at + c] - mean) * factor * gain[c] + shift[c];
  }
}
