// Pick rows: out[row] = table[places[row]], zeros where places[row] is -1
//
//     npx ptdpc lab exercise gather --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<f32>;  // [entries, columns]
@group(0) @binding(2) var<storage, read> places: array<i32>;  // [rows]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // [rows, columns]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y;
  let column = id.x;
  if (row >= params.rows || column >= params.columns) {
    return;
  }
  let place = places[row];
  var value = 0.0;
  if (place >= 0) {
    value = table[u32(place) * params.columns + column];
  }
  out[row * params.columns + column] = value;
}
