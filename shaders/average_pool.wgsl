// The mean of each channel in a cell of the image: pixels floor(i height / out_height) to ceil((i + 1) height / out_height) - 1, columns likewise. Four
// elements per invocation.

// #include "grid.wgsl"

struct Params {
  images: u32,
  height: u32,
  width: u32,
  channels: u32,
  out_height: u32,
  out_width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;         // [images, height, width, channels]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;  // [images, out_height, out_width, channels]

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let width = params.channels;
  for (var n = 0u; n < ELEMENTS; n++) {
    let at = nth_element(grid, lane, n);
    if (at >= params.images * params.out_height * params.out_width * width) {
      break;
    }
    let channel = at % width;
    let pixel = at / width;
    let image = pixel / (params.out_width * params.out_height) * params.height;
    let i = pixel / params.out_width % params.out_height;
    let j = pixel % params.out_width;
    let first_y = i * params.height / params.out_height;
    let first_x = j * params.width / params.out_width;
    let end_y = ((i + 1u) * params.height + params.out_height - 1u) / params.out_height;
    let end_x = ((j + 1u) * params.width + params.out_width - 1u) / params.out_width;
    var sum = 0.0;
    for (var y = first_y; y < end_y; y++) {
      for (var column = first_x; column < end_x; column++) {
        sum += x[((image + y) * params.width + column) * width + channel];
      }
    }
    out[at] = sum / f32((end_y - first_y) * (end_x - first_x));
  }
}
