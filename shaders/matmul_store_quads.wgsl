// The epilogue of the matrix product for four elements of a row, moved at once: element by element as matmul_store.wgsl does it, so that both give
// the same bits. Needs n that is a multiple of 4.

// #include "matmul_common.wgsl"
// #include "activation.wgsl"

@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;                  // [n / 4]
@group(0) @binding(4) var<storage, read> residual: array<vec4<f32>>;              // [m, n / 4]
@group(0) @binding(5) var<storage, read> grad_pre_activation: array<vec4<f32>>;   // [m, n / 4]
@group(0) @binding(6) var<storage, read_write> out: array<vec4<f32>>;             // [m, n / 4]
@group(0) @binding(7) var<storage, read_write> pre_activation: array<vec4<f32>>;  // [m, n / 4]

// Applies the epilogue to the accumulated sums of columns 4 * quad to 4 * quad + 3 and stores them.
fn store_quad(row: u32, quad: u32, sum: vec4<f32>) {
  let at = row * (params.n / 4u) + quad;
  var v = params.alpha * sum;
  if (HAS_BIAS) {
    v += bias[quad];
  }
  if (HAS_PRE_ACTIVATION) {
    pre_activation[at] = v;
  }
  if (ACTIVATION != 0u) {
    for (var i = 0u; i < 4u; i++) {
      v[i] = activate(ACTIVATION, v[i]);
    }
  }
  if (ACTIVATION_GRAD != 0u) {
    let u = grad_pre_activation[at];
    for (var i = 0u; i < 4u; i++) {
      v[i] *= activation_derivative(ACTIVATION_GRAD, u[i]);
    }
  }
  if (HAS_RESIDUAL) {
    v += residual[at];
  }
  if (RELU) {
    v = select(v, vec4<f32>(), v < vec4<f32>());
  }
  out[at] = v;
}
