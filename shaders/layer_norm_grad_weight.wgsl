// Gradients of layer normalisation's weight and bias: sums over rows, one workgroup of 64 per column.
//   grad_weight[c] = sum of grad_out * (x - mean) * rstd, grad_bias[c] = sum of grad_out

// #include "reduce.wgsl"

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<f32>;  // [rows, 2]: mean, rstd
@group(0) @binding(3) var<storage, read> grad_out: array<f32>;
@group(0) @binding(4) var<storage, read_write> grad_weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> grad_bias: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let column = group_number(grid);
  if (column >= params.columns) {
    return;
  }
  var weight_sum = 0.0;
  var bias_sum = 0.0;
  for (var row = lane; row < params.rows; row += LANES) {
    let g = grad_out[row * params.columns + column];
    weight_sum += g * (x[row * params.columns + column] - statistics[2u * row]) * statistics[2u * row + 1u];
    bias_sum += g;
  }
  weight_sum = reduce_sum(lane, weight_sum);
  bias_sum = reduce_sum(lane, bias_sum);
  if (lane == 0u) {
    grad_weight[column] = weight_sum;
    grad_bias[column] = bias_sum;
  }
}
