// The epilogue of the matrix product for one element.

// #include "matmul_common.wgsl"
// #include "activation.wgsl"

@group(0) @binding(3) var<storage, read> bias: array<f32>;                  // [n]
@group(0) @binding(4) var<storage, read> residual: array<f32>;              // [m, n]
@group(0) @binding(5) var<storage, read> grad_pre_activation: array<f32>;   // [m, n]
@group(0) @binding(6) var<storage, read_write> out: array<f32>;             // [m, n]
@group(0) @binding(7) var<storage, read_write> pre_activation: array<f32>;  // [m, n]


// Applies the epilogue to the accumulated sum of one element and stores it.
fn store(row: u32, column: u32, sum: f32) {
  let at = row * params.n + column;
  var v = params.alpha * sum;
  if (HAS_BIAS) {
    v += bias[column];
  }
  if (HAS_PRE_ACTIVATION) {
    pre_activation[at] = v;
  }
  if (ACTIVATION != 0u) {
    v = activate(ACTIVATION, v);
  }
  if (ACTIVATION_GRAD != 0u) {
    v *= activation_derivative(ACTIVATION_GRAD, grad_pre_activation[at]);
  }
  if (HAS_RESIDUAL) {
    v += residual[at];
  }
  if (RELU) {
    v = select(v, 0.0, v < 0.0);
  }
  out[at] = v;
}
