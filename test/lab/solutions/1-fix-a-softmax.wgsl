// Exercise 1: fix a softmax.
//
// out = exp(x) / sum of exp(x) for each row. This file does just that, and is wrong: see which cases fail, and why.
//
//     ptdpc lab exercise 1 --check <your copy>
//
// lab: covers 64
// lab: needs columns <= 199

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // [rows, columns]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;   // [rows, columns]

// One invocation a row.
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (group.y * groups.x + group.x) * 64u + lane;
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var largest = x[at];
  for (var c = 1u; c < params.columns; c++) {
    largest = max(largest, x[at + c]);
  }
  var sum = 0.0;
  for (var c = 0u; c < params.columns; c++) {
    sum += exp(x[at + c] - largest);
  }
  for (var c = 0u; c < params.columns; c++) {
    out[at + c] = exp(x[at + c] - largest) / sum;
  }
}
