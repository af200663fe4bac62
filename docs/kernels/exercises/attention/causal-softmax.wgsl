// Causal softmax: out[row, c] = softmax of x[row, 0 ... row], zeros behind
//
//     npx ptdpc lab exercise causal-softmax --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, rows]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;  // [rows, rows]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  let at = row * params.rows;
  let end = params.rows;
  var largest = x[at];
  for (var c = 1u; c < end; c++) {
    largest = max(largest, x[at + c]);
  }
  var sum = 0.0;
  for (var c = 0u; c < end; c++) {
    sum += exp(x[at + c] - largest);
  }
  for (var c = 0u; c < end; c++) {
    out[at + c] = exp(x[at + c] - largest) / sum;
  }
}
