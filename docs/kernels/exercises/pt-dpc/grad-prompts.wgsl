// Gradient through the composition: grad_prompts[i, j] = sum over pictures b of weights[b, i, j] * grad_out[b, j]
//
//     npx ptdpc lab exercise grad-prompts --check <your copy>
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
@group(0) @binding(2) var<storage, read> weights: array<f32>;  // [batch, classes, tokens]
@group(0) @binding(3) var<storage, read_write> grad_prompts: array<f32>;  // [classes, tokens, width]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.classes * params.tokens * params.width) {
    return;
  }
  let d = id.x % params.width;
  let j = id.x / params.width % params.tokens;
  let i = id.x / (params.width * params.tokens);
  var sum = 0.0;
  sum = weights[i * params.tokens + j] * grad_out[j * params.width + d];
  grad_prompts[id.x] = sum;
}
