// The convolution for any number of channels, so that the first layer, with three, runs here. One invocation computes 4 x 4 elements of the result in
// registers: eight loads feed sixteen products. Rows and columns past the edge read a clamped address and are not stored.

// #include "convolution_store.wgsl"

@group(0) @binding(1) var<storage, read> a: array<f32>;  // [images, height, width, channels]
@group(0) @binding(2) var<storage, read> b: array<u32>;  // [n, window, window, channels]

const SIDE = 4u;

fn b_number(at: u32) -> f32 {
  if (HALF_B) {
    return unpack2x16float(b[at / 2u])[at % 2u];
  }
  return bitcast<f32>(b[at]);
}

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.y * SIDE;
  let column = id.x * SIDE;
  if (row >= params.m || column >= params.n) {
    return;
  }
  var start: array<RowStart, SIDE>;
  for (var i = 0u; i < SIDE; i++) {
    start[i] = row_start(min(row + i, params.m - 1u));
  }
  let columns = min(vec4<u32>(column) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.n - 1u)) * params.k;

  var sum: array<vec4<f32>, SIDE>;
  var weight = columns;
  for (var y = 0; y < i32(params.window); y++) {
    for (var x = 0; x < i32(params.window); x++) {
      // What lies outside of the image counts as 0: some other number is read, and not taken.
      var at: array<u32, SIDE>;
      var inside: array<bool, SIDE>;
      for (var i = 0u; i < SIDE; i++) {
        let own_y = u32(start[i].y + y);
        let own_x = u32(start[i].x + x);
        // As unsigned numbers, those before the edge are past the end.
        inside[i] = own_y < params.height && own_x < params.width;
        at[i] = select(0u, (start[i].pixel + own_y * params.width + own_x) * params.channels, inside[i]);
      }
      for (var c = 0u; c < params.channels; c++) {
        let right = vec4<f32>(b_number(weight.x), b_number(weight.y), b_number(weight.z), b_number(weight.w));
        for (var i = 0u; i < SIDE; i++) {
          sum[i] += select(0.0, a[at[i] + c], inside[i]) * right;
        }
        weight += vec4<u32>(1u);
      }
    }
  }

  for (var i = 0u; i < SIDE; i++) {
    if (row + i < params.m) {
      for (var j = 0u; j < SIDE; j++) {
        if (column + j < params.n) {
          store(row + i, column + j, sum[i][j]);
        }
      }
    }
  }
}
