// Softmax statistics in one loop: largest[row] = largest of x[row, ...]; total[row] = sum of exp(x - largest)
//
//     npx ptdpc lab exercise online-softmax --check <your copy>
//
// lab: covers 64

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read_write> largest: array<f32>;  // [rows]
@group(0) @binding(3) var<storage, read_write> total: array<f32>;  // [rows]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var most = x[at];
  var sum = 1.0;
  for (var c = 1u; c < params.columns; c++) {
    let next = max(most, x[at + c]);
    sum = sum * exp(most - next) + exp(x[at + c] - next);
    most = next;
  }
  largest[row] = most;
  total[row] = sum;
}
