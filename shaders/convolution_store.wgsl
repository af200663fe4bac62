// The epilogue of the convolution for one element.

// #include "convolution_common.wgsl"

@group(0) @binding(3) var<storage, read> bias: array<f32>;       // [n]
@group(0) @binding(4) var<storage, read> residual: array<f32>;   // [m, n]
@group(0) @binding(5) var<storage, read_write> out: array<f32>;  // [m, n]

fn store(row: u32, column: u32, sum: f32) {
  let at = row * params.n + column;
  var v = sum;
  if (HAS_BIAS) {
    v += bias[column];
  }
  if (HAS_RESIDUAL) {
    v += residual[at];
  }
  if (RELU) {
    v = select(v, 0.0, v < 0.0);
  }
  out[at] = v;
}
