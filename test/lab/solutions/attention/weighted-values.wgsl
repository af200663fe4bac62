// Weighted values: out[query] = sum over keys of p[query, key] * v[key]
//
//     npx ptdpc lab exercise weighted-values --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  queries: u32,
  keys: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> p: array<f32>;  // [queries, keys]
@group(0) @binding(2) var<storage, read> v: array<f32>;  // [keys, width]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [queries, width]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  if (row >= params.queries || column >= params.width) {
    return;
  }
  var sum = 0.0;
  for (var key = 0u; key < params.keys; key++) {
    sum += p[row * params.keys + key] * v[key * params.width + column];
  }
  out[row * params.width + column] = sum;
}
