// Prompt composition (paper, Eq. 3) and its two gradients.
//   weights [batch, classes, tokens], prompts [classes, tokens, width], composed [batch, tokens, width]
// Bindings: `left` and `right` are the two operands, `out` the result; see each entry point.

struct Params {
  batch: u32,
  classes: u32,
  tokens: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

// composed[b, j] = sum over classes i of weights[b, i, j] * prompts[i, j].  left = weights, right = prompts.
@compute @workgroup_size(64)
fn compose(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = element_number(group, groups, lane);
  if (at >= params.batch * params.tokens * params.width) {
    return;
  }
  let d = at % params.width;
  let j = (at / params.width) % params.tokens;
  let b = at / (params.width * params.tokens);
  var sum = 0.0;
  for (var i = 0u; i < params.classes; i++) {
    sum += left[(b * params.classes + i) * params.tokens + j] * right[(i * params.tokens + j) * params.width + d];
  }
  out[at] = sum;
}

// grad_weights[b, i, j] = grad_composed[b, j] . prompts[i, j].  left = grad_composed, right = prompts.
@compute @workgroup_size(64)
fn grad_weights(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = element_number(group, groups, lane);
  if (at >= params.batch * params.classes * params.tokens) {
    return;
  }
  let j = at % params.tokens;
  let i = (at / params.tokens) % params.classes;
  let b = at / (params.tokens * params.classes);
  let left_at = (b * params.tokens + j) * params.width;
  let right_at = (i * params.tokens + j) * params.width;
  var sum = 0.0;
  for (var d = 0u; d < params.width; d++) {
    sum += left[left_at + d] * right[right_at + d];
  }
  out[at] = sum;
}

// grad_prompts[i, j] = sum over images b of weights[b, i, j] * grad_composed[b, j].  left = weights, right = grad_composed.
@compute @workgroup_size(64)
fn grad_prompts(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = element_number(group, groups, lane);
  if (at >= params.classes * params.tokens * params.width) {
    return;
  }
  let d = at % params.width;
  let j = (at / params.width) % params.tokens;
  let i = at / (params.width * params.tokens);
  var sum = 0.0;
  for (var b = 0u; b < params.batch; b++) {
    sum += left[(b * params.classes + i) * params.tokens + j] * right[(b * params.tokens + j) * params.width + d];
  }
  out[at] = sum;
}
