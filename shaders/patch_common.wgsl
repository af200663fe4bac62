// Rows of patches [batch * grid * grid, 3 * patch * patch], ordered (channel, y, x) as a convolution's weights are: the parameters, and which pixel an
// element is of.

// #include "grid.wgsl"

struct Params {
  batch: u32,
  size: u32,
  patch_size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// A channel of a picture's pixel.
struct Pixel {
  picture: u32,
  channel: u32,
  y: u32,
  x: u32,
}

fn element_count() -> u32 {
  let side = params.size / params.patch_size;
  return params.batch * side * side * 3u * params.patch_size * params.patch_size;
}

fn pixel_of(at: u32) -> Pixel {
  let patch_size = params.patch_size;
  let side = params.size / patch_size;
  let columns = 3u * patch_size * patch_size;
  let row = at / columns;
  let x = at % patch_size;
  let y = (at / patch_size) % patch_size;
  let patch_y = (row / side) % side;
  let patch_x = row % side;
  return Pixel(
    row / (side * side),
    (at % columns) / (patch_size * patch_size),
    patch_y * patch_size + y,
    patch_x * patch_size + x,
  );
}
