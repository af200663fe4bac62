// Gradient through the weights: grad_weights[b, i, j] = grad_out[b, j] . prompts[i, j]
//
//     npx ptdpc lab exercise grad-weights --check <your copy>
//
// lab: covers 64

struct Params {
  batch: u32,
  classes: u32,
  tokens: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad_out: array<f32>;  // [batch, tokens, width]
@group(0) @binding(2) var<storage, read> prompts: array<f32>;  // [classes, tokens, width]
@group(0) @binding(3) var<storage, read_write> grad_weights: array<f32>;  // [batch, classes, tokens]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.batch * params.classes * params.tokens) {
    return;
  }
  let j = id.x % params.tokens;
  let i = id.x / params.tokens % params.classes;
  let b = id.x / (params.tokens * params.classes);
  var sum = 0.0;
  for (var d = 0u; d < params.width; d++) {
    sum += grad_out[(b * params.tokens + j) * params.width + d] * prompts[(i * params.tokens + j) * params.width + d];
  }
  grad_weights[id.x] = sum;
}
