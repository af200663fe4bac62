// L2 normalisation of rows and its gradient, softmax of rows and its gradient: one workgroup of 64 per row.
// The four share their bindings: `x`, a second operand, one per-row vector, and the output.

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> grad_out: array<f32>;
@group(0) @binding(3) var<storage, read> norm_in: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read_write> norm_out: array<f32>;

// out = x / |x|, norm_out = |x|; a zero row stays zero.
@compute @workgroup_size(64)
fn normalize_rows(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group_number(group, groups);
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var squares = 0.0;
  for (var c = lane; c < params.columns; c += LANES) {
    squares += x[at + c] * x[at + c];
  }
  let length = sqrt(reduce_sum(lane, squares));
  // Compared this way round, a NaN stays NaN.
  let scale = select(1.0 / length, 0.0, length == 0.0);
  for (var c = lane; c < params.columns; c += LANES) {
    out[at + c] = x[at + c] * scale;
  }
  if (lane == 0u) {
    norm_out[row] = length;
  }
}

// x is the normalised row: out = (grad_out - x * (x . grad_out)) / norm.
@compute @workgroup_size(64)
fn normalize_rows_grad(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group_number(group, groups);
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var along = 0.0;
  for (var c = lane; c < params.columns; c += LANES) {
    along += x[at + c] * grad_out[at + c];
  }
  along = reduce_sum(lane, along);
  let length = norm_in[row];
  // Compared this way round, a NaN stays NaN.
  let scale = select(1.0 / length, 0.0, length == 0.0);
  for (var c = lane; c < params.columns; c += LANES) {
    out[at + c] = (grad_out[at + c] - x[at + c] * along) * scale;
  }
}

@compute @workgroup_size(64)
fn softmax(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group_number(group, groups);
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

// x is the softmax: out = x * (grad_out - x . grad_out).
@compute @workgroup_size(64)
fn softmax_grad(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group_number(group, groups);
  if (row >= params.rows) {
    return;
  }
  let at = row * params.columns;
  var along = 0.0;
  for (var c = lane; c < params.columns; c += LANES) {
    along += x[at + c] * grad_out[at + c];
  }
  along = reduce_sum(lane, along);
  for (var c = lane; c < params.columns; c += LANES) {
    out[at + c] = x[at + c] * (grad_out[at + c] - along);
  }
}
