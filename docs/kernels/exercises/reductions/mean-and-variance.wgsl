// Mean and variance: mean[row], variance[row] = mean of (x - mean)^2
//
//     npx ptdpc lab exercise mean-and-variance --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read_write> mean: array<f32>;  // [rows]
@group(0) @binding(3) var<storage, read_write> variance: array<f32>;  // [rows]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  let count = f32(params.columns);
  var sum = 0.0;
  var squares = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    sum += x[at + c];
    squares += x[at + c] * x[at + c];
  }
  mean[row] = sum / count;
  variance[row] = squares / count - sum / count * sum / count;
}
