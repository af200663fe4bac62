// Dot products within groups, and their gradients: out[g, i] = scale * (a[g] . b[g, i]).
//   a [groups, width], b [groups, members, width], out [groups, members]
// This gives the logits of an image (a) against its own texts (b). Bindings as in each entry point's comment.

struct Params {
  groups: u32,
  members: u32,
  width: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

// left = a, right = b.
@compute @workgroup_size(64)
fn group_dot(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = element_number(group, groups, lane);
  if (at >= params.groups * params.members) {
    return;
  }
  let left_at = at / params.members * params.width;
  let right_at = at * params.width;
  var sum = 0.0;
  for (var d = 0u; d < params.width; d++) {
    sum += left[left_at + d] * right[right_at + d];
  }
  out[at] = params.scale * sum;
}

// grad_a[g] = scale * sum over i of grad_out[g, i] * b[g, i].  left = grad_out, right = b.
@compute @workgroup_size(64)
fn grad_a(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = element_number(group, groups, lane);
  if (at >= params.groups * params.width) {
    return;
  }
  let g = at / params.width;
  let d = at % params.width;
  var sum = 0.0;
  for (var i = 0u; i < params.members; i++) {
    sum += left[g * params.members + i] * right[(g * params.members + i) * params.width + d];
  }
  out[at] = params.scale * sum;
}

// grad_b[g, i] = scale * grad_out[g, i] * a[g].  left = grad_out, right = a.
@compute @workgroup_size(64)
fn grad_b(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = element_number(group, groups, lane);
  if (at >= params.groups * params.members * params.width) {
    return;
  }
  let row = at / params.width;
  out[at] = params.scale * left[row] * right[row / params.members * params.width + at % params.width];
}
