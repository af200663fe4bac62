// Exercise 3: remove barriers, safely.
//
// A workgroup of 64 computes a row's softmax, with six barriers in its text. It can do with four. A barrier that is needed, and missing,
// lets one invocation overwrite what another has yet to read: software adapters, which run invocations a few at a time, show
// that at once, while a GPU may hide it for years.
//
//     ptdpc lab exercise 3 --check <your copy>
//
// lab: covers 1

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // [rows, columns]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;   // [rows, columns]

const LANES = 64u;

var<workgroup> scratch: array<f32, 64>;
var<workgroup> sums: array<f32, 64>;

fn reduce_max(lane: u32, value: f32) -> f32 {
  scratch[lane] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      scratch[lane] = max(scratch[lane], scratch[lane + half]);
    }
    workgroupBarrier();
  }
  return scratch[0];
}

fn reduce_sum(lane: u32, value: f32) -> f32 {
  sums[lane] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      sums[lane] += sums[lane + half];
    }
    workgroupBarrier();
  }
  return sums[0];
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var largest = -3.0e38;
  for (var c = lane; c < params.columns; c += LANES) {
    largest = max(largest, x[at + c]);
  }
  largest = reduce_max(lane, largest);
  var sum = 0.0;
  for (var c = lane; c < params.columns; c += LANES) {
    sum += exp(x[at + c] - largest);
  }
  sum = reduce_sum(lane, sum);
  for (var c = lane; c < params.columns; c += LANES) {
    out[at + c] = exp(x[at + c] - largest) / sum;
  }
}
