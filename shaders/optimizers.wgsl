// SGD with momentum and AdamW, in place, one invocation per parameter. PyTorch's definitions (torch.optim.SGD, AdamW).
// `first` is SGD's velocity or Adam's first moment; `second`, Adam's second moment, is bound to a dummy for SGD.

struct Params {
  length: u32,
  learning_rate: f32,
  momentum: f32,           // SGD
  beta1: f32,              // AdamW from here on
  beta2: f32,
  epsilon: f32,
  weight_decay: f32,
  first_correction: f32,   // 1 - beta1^step
  second_correction: f32,  // 1 - beta2^step
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad: array<f32>;
@group(0) @binding(2) var<storage, read_write> parameter: array<f32>;
@group(0) @binding(3) var<storage, read_write> first: array<f32>;
@group(0) @binding(4) var<storage, read_write> second: array<f32>;

@compute @workgroup_size(64)
fn sgd(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = element_number(group, groups, lane);
  if (at >= params.length) {
    return;
  }
  let velocity = params.momentum * first[at] + grad[at];
  first[at] = velocity;
  parameter[at] -= params.learning_rate * velocity;
}

@compute @workgroup_size(64)
fn adamw(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = element_number(group, groups, lane);
  if (at >= params.length) {
    return;
  }
  let g = grad[at];
  let m = params.beta1 * first[at] + (1.0 - params.beta1) * g;
  let v = params.beta2 * second[at] + (1.0 - params.beta2) * g * g;
  first[at] = m;
  second[at] = v;
  let decayed = parameter[at] * (1.0 - params.learning_rate * params.weight_decay);
  let step = params.learning_rate * (m / params.first_correction);
  parameter[at] = decayed - step / (sqrt(v / params.second_correction) + params.epsilon);
}
