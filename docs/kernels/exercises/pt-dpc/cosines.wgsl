// Cosines of pictures and tokens: out[b, t] = cosine of f[b] and p[t]
//
//     npx ptdpc lab exercise cosines --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  batch: u32,
  tokens: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> f: array<f32>;  // [batch, width]
@group(0) @binding(2) var<storage, read> p: array<f32>;  // [tokens, width]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [batch, tokens]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  if (row >= params.batch || column >= params.tokens) {
    return;
  }
  var along = 0.0;
  var ff = 0.0;
  var pp = 0.0;
  for (var d = 0u; d < params.width; d++) {
    let one = f[row * params.width + d];
    let other = p[column * params.width + d];
    along += one * other;
    ff += one * one;
    pp += other * other;
  }
  out[row * params.tokens + column] = along;
}
