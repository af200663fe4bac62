// The epilogue of the convolution for four elements of a row. Needs n that is a multiple of 4.

// #include "convolution_common.wgsl"

@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;       // [n / 4]
@group(0) @binding(4) var<storage, read> residual: array<vec4<f32>>;   // [m, n / 4]
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;  // [m, n / 4]

// Columns 4 * quad to 4 * quad + 3.
fn store_quad(row: u32, quad: u32, sum: vec4<f32>) {
  let at = row * (params.n / 4u) + quad;
  var v = sum;
  if (HAS_BIAS) {
    v += bias[quad];
  }
  if (HAS_RESIDUAL) {
    v += residual[at];
  }
  if (RELU) {
    v = select(v, vec4<f32>(), v < vec4<f32>());
  }
  out[at] = v;
}
