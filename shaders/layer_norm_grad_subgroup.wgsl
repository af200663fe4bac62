// Gradient of layer normalisation with respect to x as in layer_norm_grad.wgsl, with eight lanes to a row (subgroup_eight.wgsl), four columns at
// a time.
//
// Needs subgroups of at least 8, and columns that are a multiple of 4.

enable subgroups;
// All lanes of a subgroup take as many turns of the loops, but the compiler cannot infer that.
diagnostic(off, subgroup_uniformity);

// #include "grid.wgsl"
// #include "subgroup_eight.wgsl"

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> statistics: array<f32>;
@group(0) @binding(4) var<storage, read> grad_out: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> addend: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> grad_x: array<vec4<f32>>;

override HAS_ADDEND: bool = false;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let number = group_number(grid) * SHARERS + lane / SHARERS;
  let row = min(number, params.rows - 1u);
  let first = lane % SHARERS;
  let quads = params.columns / 4u;
  let at = row * quads;
  let mean = statistics[2u * row];
  let rstd = statistics[2u * row + 1u];
  var sums: vec4<f32>;
  var sums_hat: vec4<f32>;
  for (var c = first; c < quads; c += SHARERS) {
    let g = grad_out[at + c] * weight[c];
    sums += g;
    sums_hat += g * (x[at + c] - mean) * rstd;
  }
  let mean_g = sum_of_quads(sums) / f32(params.columns);
  let mean_g_hat = sum_of_quads(sums_hat) / f32(params.columns);
  if (number >= params.rows) {
    return;
  }
  for (var c = first; c < quads; c += SHARERS) {
    let hat = (x[at + c] - mean) * rstd;
    var value = rstd * (grad_out[at + c] * weight[c] - mean_g - hat * mean_g_hat);
    if (HAS_ADDEND) {
      value += addend[at + c];
    }
    grad_x[at + c] = value;
  }
}
