// Logarithm of a softmax: out[row, c] = x[row, c] - log(sum of exp(x[row, ...]))
//
//     npx ptdpc lab exercise log-softmax --check <your copy>
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
  var largest = x[at];
  for (var c = 1u; c < params.columns; c++) {
    largest = max(largest, x[at + c]);
  }
  var sum = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    sum += exp(x[at + c] - largest);
  }
  for (var c = 0u; c < params.columns; c++) {
    out[at + c] = log(exp(x[at + c] - largest) / sum);
  }
}
