// Gradient of a cross-entropy: grad_logits[r, c] = grad_losses[r] * (probabilities[r, c] - (1 if c is labels[r]))
//
//     npx ptdpc lab exercise grad-cross-entropy --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> probabilities: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read> labels: array<i32>;  // [rows]
@group(0) @binding(3) var<storage, read> grad_losses: array<f32>;  // [rows]
@group(0) @binding(4) var<storage, read_write> grad_logits: array<f32>;  // [rows, columns]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  if (row >= params.rows || column >= params.columns) {
    return;
  }
  let at = row * params.columns + column;
  let wanted = select(0.0, 1.0, i32(column) == labels[row]);
  grad_logits[at] = grad_losses[row] * (probabilities[at] - wanted);
}
