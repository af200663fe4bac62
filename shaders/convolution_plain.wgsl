// The convolution as it is defined: one invocation computes one element of the result. Takes any number of channels, so that the first layer, with
// three, runs here.

// #include "convolution_store.wgsl"

@group(0) @binding(1) var<storage, read> a: array<f32>;  // [images, height, width, channels]
@group(0) @binding(2) var<storage, read> b: array<u32>;  // [n, window, window, channels]

fn b_number(at: u32) -> f32 {
  if (HALF_B) {
    return unpack2x16float(b[at / 2u])[at % 2u];
  }
  return bitcast<f32>(b[at]);
}

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x;
  let row = id.y;
  if (row >= params.m || column >= params.n) {
    return;
  }
  let start = row_start(row);
  // Rows and columns of the window that lie in the image.
  let first_y = u32(max(0, -start.y));
  let first_x = u32(max(0, -start.x));
  let end_y = u32(clamp(i32(params.height) - start.y, 0, i32(params.window)));
  let end_x = u32(clamp(i32(params.width) - start.x, 0, i32(params.window)));
  var sum = 0.0;
  for (var y = first_y; y < end_y; y++) {
    for (var x = first_x; x < end_x; x++) {
      let pixel = start.pixel + u32(start.y + i32(y)) * params.width + u32(start.x + i32(x));
      let at = pixel * params.channels;
      let weight = column * params.k + (y * params.window + x) * params.channels;
      for (var c = 0u; c < params.channels; c++) {
        sum += a[at + c] * b_number(weight + c);
      }
    }
  }
  store(row, column, sum);
}
