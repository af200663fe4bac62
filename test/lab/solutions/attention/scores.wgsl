// Scores: out[query, key] = scale * q[query] . k[key]
//
//     npx ptdpc lab exercise scores --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  queries: u32,
  keys: u32,
  width: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;  // [queries, width]
@group(0) @binding(2) var<storage, read> k: array<f32>;  // [keys, width]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [queries, keys]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  if (row >= params.queries || column >= params.keys) {
    return;
  }
  var sum = 0.0;
  for (var d = 0u; d < params.width; d++) {
    sum += q[row * params.width + d] * k[column * params.width + d];
  }
  out[row * params.keys + column] = params.scale * sum;
}
