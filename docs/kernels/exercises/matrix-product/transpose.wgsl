// Transpose: out[column, row] = x[row, column]
//
//     npx ptdpc lab exercise transpose --check <your copy>
//
// lab: covers 8 x 8

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;  // [columns, rows]

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  // The grid covers `out`: id.y counts its rows, the columns of x.
  if (id.y >= params.columns || id.x >= params.rows) {
    return;
  }
  out[id.y * params.rows + id.x] = x[id.y * params.rows + id.x];
}
