// grad_logits[row, c] = grad_losses[row] * (probabilities[row, c] - (c == labels[row])). One invocation per element.

// #include "grid.wgsl"

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> probabilities: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read> grad_losses: array<f32>;
@group(0) @binding(4) var<storage, read_write> grad_logits: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let at = element_number(grid, lane);
  if (at >= params.rows * params.columns) {
    return;
  }
  let row = at / params.columns;
  let target_value = select(0.0, 1.0, at % params.columns == u32(labels[row]));
  grad_logits[at] = grad_losses[row] * (probabilities[at] - target_value);
}
