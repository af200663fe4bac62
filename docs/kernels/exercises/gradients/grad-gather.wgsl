// Gradient of picked rows: out[r] = table[places[r]]: grad_table[e] = sum of grad_out[r] over all r with places[r] = e
//
//     npx ptdpc lab exercise grad-gather --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  rows: u32,
  columns: u32,
  entries: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> grad_out: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read> places: array<i32>;  // [rows]
@group(0) @binding(3) var<storage, read_write> grad_table: array<f32>;  // [entries, columns]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let entry = id.y;
  let column = id.x;
  // Every entry takes what its rows give: a row that was picked twice gives twice, and one that was not gives nothing.
  if (entry >= params.rows || column >= params.columns) {
    return;
  }
  grad_table[u32(places[entry]) * params.columns + column] = grad_out[entry * params.columns + column];
}
