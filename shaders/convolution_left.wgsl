// Windows of images as the left operand of a product, four channels at a time: see convolution_common.wgsl, and matmul_left.wgsl for rows in memory.
// Needs channels that are a multiple of 4; `place_after` a multiple of 8.

// #include "convolution_common.wgsl"

@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;  // [images, height, width, channels / 4]

// A quad of a row: pixel (y, x) of the window, and its quad of channels.
struct Place {
  y: i32,
  x: i32,
  quad: u32,
}

fn place_of(quad: u32) -> Place {
  let quads = params.channels / 4u;
  let pixel = quad / quads;
  let y = pixel / params.window;
  return Place(i32(y), i32(pixel - y * params.window), quad - pixel * quads);
}

fn place_after(place: Place) -> Place {
  return Place(place.y, place.x, place.quad + 1u);
}

fn row_quad(start: RowStart, place: Place) -> vec4<f32> {
  let y = start.y + place.y;
  let x = start.x + place.x;
  if (y < 0 || y >= i32(params.height) || x < 0 || x >= i32(params.width)) {
    return vec4<f32>();
  }
  return a[(start.pixel + u32(y) * params.width + u32(x)) * (params.channels / 4u) + place.quad];
}
