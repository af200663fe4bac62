// Compose the prompt: out[b, j] = sum over classes i of weights[b, i, j] * prompts[i, j] (Eq. 3)
//
//     npx ptdpc lab exercise compose-prompt --check <your copy>
//
// lab: covers 64

struct Params {
  batch: u32,
  classes: u32,
  tokens: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>;  // [batch, classes, tokens]
@group(0) @binding(2) var<storage, read> prompts: array<f32>;  // [classes, tokens, width]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [batch, tokens, width]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= params.batch * params.tokens * params.width) {
    return;
  }
  let d = id.x % params.width;
  let j = id.x / params.width % params.tokens;
  let b = id.x / (params.width * params.tokens);
  var sum = 0.0;
  for (var i = 0u; i < params.classes; i++) {
    sum += weights[(b * params.classes + i) * params.tokens + j] * prompts[(i * params.tokens + j) * params.width + d];
  }
  out[id.x] = sum;
}
