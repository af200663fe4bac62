// Running sum: out[row, c] = x[row, 0] + ... + x[row, c], at most 64 columns
//
//     npx ptdpc lab exercise prefix-sum --check <your copy>
//
// lab: covers 1

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;  // [rows, columns]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;  // [rows, columns]

var<workgroup> scratch: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = group.x * params.columns + lane;
  if (lane < params.columns) {
    scratch[lane] = x[at];
  }
  workgroupBarrier();
  for (var step = 1u; step < 64u; step *= 2u) {
    if (lane >= step) {
      scratch[lane] += scratch[lane - step];
    }
    workgroupBarrier();
  }
  if (lane < params.columns) {
    out[at] = scratch[lane];
  }
}
