// The right operand of the matrix product four values at a time. HALF_B is whether it is in half precision.

@group(0) @binding(2) var<storage, read> b: array<vec4<u32>>;

fn b_quad(at: u32) -> vec4<f32> {
  if (HALF_B) {
    let words = b[at / 2u];
    let own = select(words.xy, words.zw, at % 2u == 1u);
    return vec4<f32>(unpack2x16float(own.x), unpack2x16float(own.y));
  }
  return bitcast<vec4<f32>>(b[at]);
}
