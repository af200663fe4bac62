// The loss of the published code: p = softmax(logits); losses[r] = log(sum of exp(p[r, ...])) - p[r, labels[r]]
//
//     npx ptdpc lab exercise double-softmax --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read> labels: array<i32>;  // [rows]
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;  // [rows]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var largest = logits[at];
  for (var c = 1u; c < params.columns; c++) {
    largest = max(largest, logits[at + c]);
  }
  var sum = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    sum += exp(logits[at + c] - largest);
  }
  var outer = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    outer += exp(exp(logits[at + c] - largest) / sum);
  }
  let own = exp(logits[at + u32(labels[row])] - largest) / sum;
  losses[row] = log(outer) - own;
}
