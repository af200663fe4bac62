// Eight adjacent lanes of a subgroup share a row: no barriers, and each load is 128 adjacent bytes. Lanes that have no row of their own do as the last
// row's do, up to what they would store.

const SHARERS = 8u;  // lanes to a row; a workgroup has as many rows

fn sum_of_eight(value: f32) -> f32 {
  var sum = value + subgroupShuffleXor(value, 4u);
  sum += subgroupShuffleXor(sum, 2u);
  return sum + subgroupShuffleXor(sum, 1u);
}

fn sum_of_quads(sums: vec4<f32>) -> f32 {
  return sum_of_eight((sums.x + sums.y) + (sums.z + sums.w));
}
