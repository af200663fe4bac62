// The largest of each channel in a window; what lies outside of the image does not count. Four channels at a time, four quads per invocation. Needs
// channels that are a multiple of 4.

// #include "grid.wgsl"

struct Params {
  images: u32,
  height: u32,
  width: u32,
  channels: u32,
  window: u32,
  stride: u32,
  padding: u32,
  out_height: u32,
  out_width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;         // [images, height, width, channels / 4]
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;  // [images, out_height, out_width, channels / 4]

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let width = params.channels / 4u;
  for (var n = 0u; n < ELEMENTS; n++) {
    let at = nth_element(grid, lane, n);
    if (at >= params.images * params.out_height * params.out_width * width) {
      break;
    }
    let channel = at % width;
    let pixel = at / width;
    let image = pixel / (params.out_width * params.out_height) * params.height;
    // Every window sees a pixel, since there is less padding than it is wide.
    let top = pixel / params.out_width % params.out_height * params.stride;
    let left = pixel % params.out_width * params.stride;
    let first_y = max(top, params.padding) - params.padding;
    let first_x = max(left, params.padding) - params.padding;
    let end_y = min(top + params.window - params.padding, params.height);
    let end_x = min(left + params.window - params.padding, params.width);
    var largest = x[((image + first_y) * params.width + first_x) * width + channel];
    for (var y = first_y; y < end_y; y++) {
      for (var column = first_x; column < end_x; column++) {
        largest = max(largest, x[((image + y) * params.width + column) * width + channel]);
      }
    }
    out[at] = largest;
  }
}
