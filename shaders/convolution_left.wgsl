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

// a / b, exact for a below 2^21: adapters divide floats several times as fast as integers, and the fraction is at least 0.5 / b from the next one.
fn quotient(a: u32, b: u32) -> u32 {
  return u32((f32(a) + 0.5) / f32(b));
}

fn place_of(quad: u32) -> Place {
  let quads = params.channels / 4u;
  let pixel = quotient(quad, quads);
  let y = quotient(pixel, params.window);
  return Place(i32(y), i32(pixel - y * params.window), quad - pixel * quads);
}

fn place_after(place: Place) -> Place {
  return Place(place.y, place.x, place.quad + 1u);
}

fn row_quad(start: RowStart, place: Place) -> vec4<f32> {
  let y = start.y + place.y;
  let x = start.x + place.x;
  // As unsigned numbers, those before the edge are past the end.
  let inside = u32(y) < params.height && u32(x) < params.width;
  let at = (start.pixel + u32(y) * params.width + u32(x)) * (params.channels / 4u) + place.quad;
  return select(vec4<f32>(), a[select(0u, at, inside)], inside);
}
