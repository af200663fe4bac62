// What every variant of the convolution shares: a product of windows with a weight,
//
//   out = relu(windows(a) . b' + bias + residual),  windows(a) [m, k], b [n, k], out [m, n]
//
// Row i of windows(a) is what the i-th window sees of images a [images, height, width, channels]: window * window * channels numbers, zero where it
// reaches over an edge. It is not in memory: convolution_left.wgsl reads the images in its place.

struct Params {
  m: u32,  // images * out_height * out_width
  n: u32,
  k: u32,  // window * window * channels
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

override HALF_B: bool = false;  // b is in half precision
override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override RELU: bool = false;
const TRANSPOSE_B = true;  // b is stored [n, k]

// Where a window lies: the number of its image's first pixel, and its own row and column in the image, which may be outside.
struct RowStart {
  pixel: u32,
  y: i32,
  x: i32,
}

fn row_start(row: u32) -> RowStart {
  let per_image = params.out_height * params.out_width;
  let within = row % per_image;
  return RowStart(
    row / per_image * params.height * params.width,
    i32(within / params.out_width * params.stride) - i32(params.padding),
    i32(within % params.out_width * params.stride) - i32(params.padding),
  );
}
