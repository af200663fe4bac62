// One step of AdamW, in place (torch.optim.AdamW). Four parameters per invocation.

// #include "grid.wgsl"

struct Params {
  length: u32,
  learning_rate: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  weight_decay: f32,
  first_correction: f32,   // 1 - beta1^step
  second_correction: f32,  // 1 - beta2^step
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(3) var<storage, read_write> first_moment: array<f32>;
@group(0) @binding(4) var<storage, read_write> second_moment: array<f32>;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ELEMENTS; i++) {
    let at = nth_element(grid, lane, i);
    if (at >= params.length) {
      break;
    }
    let g = grad[at];
    let m = params.beta1 * first_moment[at] + (1.0 - params.beta1) * g;
    let v = params.beta2 * second_moment[at] + (1.0 - params.beta2) * g * g;
    first_moment[at] = m;
    second_moment[at] = v;
    let decayed = parameter[at] * (1.0 - params.learning_rate * params.weight_decay);
    let step = params.learning_rate * (m / params.first_correction);
    parameter[at] = decayed - step / (sqrt(v / params.second_correction) + params.epsilon);
  }
}
