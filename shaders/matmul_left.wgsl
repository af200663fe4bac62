// The left operand of the matrix product, four values at a time, as rows in memory. convolution_left.wgsl has the same functions for rows that are not
// in memory.

// #include "matmul_common.wgsl"

@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;  // [m, k / 4]

// Where a row begins, and which of its quads is meant.
alias RowStart = u32;
alias Place = u32;

fn row_start(row: u32) -> RowStart {
  return row * (params.k / 4u);
}

fn place_of(quad: u32) -> Place {
  return quad;
}

fn place_after(place: Place) -> Place {
  return place + 1u;
}

fn row_quad(start: RowStart, place: Place) -> vec4<f32> {
  return a[start + place];
}
