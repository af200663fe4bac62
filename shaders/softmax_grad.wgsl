// Gradient of softmax.wgsl: grad_x = out * (grad_out - out . grad_out). One workgroup of 64 per row.

// #include "reduce.wgsl"

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> out: array<f32>;
@group(0) @binding(2) var<storage, read> grad_out: array<f32>;
@group(0) @binding(3) var<storage, read_write> grad_x: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let row = group_number(grid);
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var along = 0.0;
  for (var c = lane; c < params.columns; c += LANES) {
    along += out[at + c] * grad_out[at + c];
  }
  along = reduce_sum(lane, along);
  for (var c = lane; c < params.columns; c += LANES) {
    grad_x[at + c] = out[at + c] * (grad_out[at + c] - along);
  }
}
