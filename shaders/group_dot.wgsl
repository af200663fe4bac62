// Dot products within groups, and their gradients: out[g, i] = scale * (a[g] . b[g, i]). This gives the logits of an image (a) against its own
// texts (b). Each entry point uses some of the bindings.

// #include "grid.wgsl"

struct Params {
  groups: u32,
  members: u32,
  width: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;             // [groups, width]
@group(0) @binding(2) var<storage, read> b: array<f32>;             // [groups, members, width]
@group(0) @binding(3) var<storage, read> grad_out: array<f32>;      // [groups, members]
@group(0) @binding(4) var<storage, read_write> out: array<f32>;     // [groups, members]
@group(0) @binding(5) var<storage, read_write> grad_a: array<f32>;  // [groups, width]
@group(0) @binding(6) var<storage, read_write> grad_b: array<f32>;  // [groups, members, width]

// out[g, i] = scale * (a[g] . b[g, i]).
@compute @workgroup_size(64)
fn group_dot(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let at = element_number(grid, lane);
  if (at >= params.groups * params.members) {
    return;
  }
  let a_at = at / params.members * params.width;
  let b_at = at * params.width;
  var sum = 0.0;
  for (var d = 0u; d < params.width; d++) {
    sum += a[a_at + d] * b[b_at + d];
  }
  out[at] = params.scale * sum;
}

// grad_a[g] = scale * sum over i of grad_out[g, i] * b[g, i].
@compute @workgroup_size(64)
fn a_gradient(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let at = element_number(grid, lane);
  if (at >= params.groups * params.width) {
    return;
  }
  let g = at / params.width;
  let d = at % params.width;
  var sum = 0.0;
  for (var i = 0u; i < params.members; i++) {
    sum += grad_out[g * params.members + i] * b[(g * params.members + i) * params.width + d];
  }
  grad_a[at] = params.scale * sum;
}

// grad_b[g, i] = scale * grad_out[g, i] * a[g].
@compute @workgroup_size(64)
fn b_gradient(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let at = element_number(grid, lane);
  if (at >= params.groups * params.members * params.width) {
    return;
  }
  let row = at / params.width;
  grad_b[at] = params.scale * grad_out[row] * a[row / params.members * params.width + at % params.width];
}
