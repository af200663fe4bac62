// Scores of several heads: out[head, query, key] = q[query, head] . k[key, head]
//
//     npx ptdpc lab exercise head-scores --check <your copy>
//
// lab: covers 64

struct Params {
  heads: u32,
  rows: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> q: array<f32>;  // [rows, heads * width]
@group(0) @binding(2) var<storage, read> k: array<f32>;  // [rows, heads * width]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [heads, rows, rows]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let all = params.heads * params.rows * params.rows;
  if (id.x >= all) {
    return;
  }
  // Which head, query and key is id.x?
  out[id.x] = 0.0;
}
