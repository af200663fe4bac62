// Prompt composition (paper, Eq. 3) and its two gradients. Each entry point uses some of the bindings.

// #include "grid.wgsl"

struct Params {
  batch: u32,
  classes: u32,
  tokens: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>;             // [batch, classes, tokens]
@group(0) @binding(2) var<storage, read> prompts: array<f32>;             // [classes, tokens, width]
@group(0) @binding(3) var<storage, read> grad_out: array<f32>;            // [batch, tokens, width]
@group(0) @binding(4) var<storage, read_write> out: array<f32>;           // [batch, tokens, width]
@group(0) @binding(5) var<storage, read_write> grad_weights: array<f32>;  // [batch, classes, tokens]
@group(0) @binding(6) var<storage, read_write> grad_prompts: array<f32>;  // [classes, tokens, width]

// out[b, j] = sum over classes i of weights[b, i, j] * prompts[i, j].
@compute @workgroup_size(64)
fn compose(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let at = element_number(grid, lane);
  if (at >= params.batch * params.tokens * params.width) {
    return;
  }
  let d = at % params.width;
  let j = (at / params.width) % params.tokens;
  let b = at / (params.width * params.tokens);
  var sum = 0.0;
  for (var i = 0u; i < params.classes; i++) {
    sum += weights[(b * params.classes + i) * params.tokens + j] * prompts[(i * params.tokens + j) * params.width + d];
  }
  out[at] = sum;
}

// grad_weights[b, i, j] = grad_out[b, j] . prompts[i, j].
@compute @workgroup_size(64)
fn weights_gradient(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let at = element_number(grid, lane);
  if (at >= params.batch * params.classes * params.tokens) {
    return;
  }
  let j = at % params.tokens;
  let i = (at / params.tokens) % params.classes;
  let b = at / (params.tokens * params.classes);
  let grad_at = (b * params.tokens + j) * params.width;
  let prompt_at = (i * params.tokens + j) * params.width;
  var sum = 0.0;
  for (var d = 0u; d < params.width; d++) {
    sum += grad_out[grad_at + d] * prompts[prompt_at + d];
  }
  grad_weights[at] = sum;
}

// grad_prompts[i, j] = sum over images b of weights[b, i, j] * grad_out[b, j].
@compute @workgroup_size(64)
fn prompts_gradient(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let at = element_number(grid, lane);
  if (at >= params.classes * params.tokens * params.width) {
    return;
  }
  let d = at % params.width;
  let j = (at / params.width) % params.tokens;
  let i = at / (params.width * params.tokens);
  var sum = 0.0;
  for (var b = 0u; b < params.batch; b++) {
    sum += weights[(b * params.classes + i) * params.tokens + j] * grad_out[(b * params.tokens + j) * params.width + d];
  }
  grad_prompts[at] = sum;
}
