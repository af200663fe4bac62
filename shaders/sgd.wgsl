// One step of SGD with momentum, in place (torch.optim.SGD). Four parameters per invocation.

// #include "grid.wgsl"

struct Params {
  length: u32,
  learning_rate: f32,
  momentum: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(3) var<storage, read_write> velocity: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ELEMENTS; i++) {
    let at = nth_element(grid, lane, i);
    if (at >= params.length) {
      break;
    }
    let sum = params.momentum * velocity[at] + grad[at];
    velocity[at] = sum;
    parameter[at] -= params.learning_rate * sum;
  }
}
