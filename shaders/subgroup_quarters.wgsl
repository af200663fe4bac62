// Heads of 64 columns in quarters: four adjacent lanes of a subgroup share a row, and each has four of its sixteen quads. So a row takes a quarter of
// the registers, and four times as many invocations can hide each other's loads.
//
// Lane i of the four has quads i, i + 4, i + 8 and i + 12: together they load 64 bytes that lie side by side. A subgroup's lanes have
// adjacent rows of one head, which see nearly the same rows on the other side; all lanes loop over the union of what they see, and rows that
// none of them sees are skipped. Lanes are in a subgroup in the order of their numbers in the workgroup, four of a row together.

const QUARTERS = 4u;
const QUADS = 16u;

alias Quarter = array<vec4<f32>, 4>;

// What the four lanes of a row have, together: the same sum in each of them, to the last bit.
fn sum_of_quarters(x: vec2<f32>) -> vec2<f32> {
  let pair = x + subgroupShuffleXor(x, 1u);
  return pair + subgroupShuffleXor(pair, 2u);
}

fn dot_quarters(a: ptr<function, Quarter>, b: ptr<function, Quarter>) -> f32 {
  let products = (*a)[0] * (*b)[0] + (*a)[1] * (*b)[1] + (*a)[2] * (*b)[2] + (*a)[3] * (*b)[3];
  return dot(products, vec4<f32>(1.0));
}
