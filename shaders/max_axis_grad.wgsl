// grad_x[o, a, i] = grad_out[o, i] where a is index[o, i], else 0. Four elements per invocation.

// #include "grid.wgsl"

struct Params {
  outer: u32,
  axis: u32,
  inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> index: array<f32>;
@group(0) @binding(2) var<storage, read> grad_out: array<f32>;
@group(0) @binding(3) var<storage, read_write> grad_x: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ELEMENTS; i++) {
    let at = nth_element(grid, lane, i);
    if (at >= params.outer * params.axis * params.inner) {
      break;
    }
    let a = (at / params.inner) % params.axis;
    let source = (at / (params.inner * params.axis)) * params.inner + at % params.inner;
    grad_x[at] = select(0.0, grad_out[source], index[source] == f32(a));
  }
}
