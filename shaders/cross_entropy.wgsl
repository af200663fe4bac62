// Cross-entropy of each row's logits against its label: one workgroup of 64 per row. Also stores the softmax.
//   losses[row] = log(sum(exp(logits))) - logits[label]

// #include "reduce.wgsl"

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;
@group(0) @binding(4) var<storage, read_write> probabilities: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let row = group_number(grid);
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var largest = -3.0e38;
  for (var c = lane; c < params.columns; c += LANES) {
    largest = max(largest, logits[at + c]);
  }
  largest = reduce_max(lane, largest);
  var sum = 0.0;
  for (var c = lane; c < params.columns; c += LANES) {
    sum += exp(logits[at + c] - largest);
  }
  sum = reduce_sum(lane, sum);
  for (var c = lane; c < params.columns; c += LANES) {
    probabilities[at + c] = exp(logits[at + c] - largest) / sum;
  }
  if (lane == 0u) {
    losses[row] = largest + log(sum) - logits[at + u32(labels[row])];
  }
}
