// Gradient of layer normalisation with respect to x. With g = grad_out * weight and x^ = (x - mean) * rstd:
//   grad_x = rstd * (g - mean(g) - x^ * mean(g * x^)) + addend
// One workgroup of 64 per row.

// #include "reduce.wgsl"

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> statistics: array<f32>;
@group(0) @binding(4) var<storage, read> grad_out: array<f32>;
@group(0) @binding(5) var<storage, read> addend: array<f32>;
@group(0) @binding(6) var<storage, read_write> grad_x: array<f32>;

override HAS_ADDEND: bool = false;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let row = group_number(grid);
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  let mean = statistics[2u * row];
  let rstd = statistics[2u * row + 1u];
  var sum = 0.0;
  var sum_hat = 0.0;
  for (var c = lane; c < params.columns; c += LANES) {
    let g = grad_out[at + c] * weight[c];
    sum += g;
    sum_hat += g * (x[at + c] - mean) * rstd;
  }
  let mean_g = reduce_sum(lane, sum) / f32(params.columns);
  let mean_g_hat = reduce_sum(lane, sum_hat) / f32(params.columns);
  for (var c = lane; c < params.columns; c += LANES) {
    let hat = (x[at + c] - mean) * rstd;
    var value = rstd * (grad_out[at + c] * weight[c] - mean_g - hat * mean_g_hat);
    if (HAS_ADDEND) {
      value += addend[at + c];
    }
    grad_x[at + c] = value;
  }
}
