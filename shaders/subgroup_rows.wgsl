// Heads of 64 columns as sixteen quads, and how the lanes of a subgroup share a row of them.
//
// A subgroup's lanes process adjacent rows, head by head, which see nearly the same rows on the other side. All lanes loop
// over the union of what they see; of each row's sixteen quads, eight lanes load two each, and the others get them by broadcast.

const QUADS = 16u;

alias Row = array<vec4<f32>, QUADS>;

// A row of which lane i of 0 to 7 holds quads i and i + 8.
fn shared_row(low: vec4<f32>, high: vec4<f32>) -> Row {
  return Row(
    subgroupBroadcast(low, 0u), subgroupBroadcast(low, 1u), subgroupBroadcast(low, 2u), subgroupBroadcast(low, 3u),
    subgroupBroadcast(low, 4u), subgroupBroadcast(low, 5u), subgroupBroadcast(low, 6u), subgroupBroadcast(low, 7u),
    subgroupBroadcast(high, 0u), subgroupBroadcast(high, 1u), subgroupBroadcast(high, 2u), subgroupBroadcast(high, 3u),
    subgroupBroadcast(high, 4u), subgroupBroadcast(high, 5u), subgroupBroadcast(high, 6u), subgroupBroadcast(high, 7u),
  );
}

fn dot_rows(a: ptr<function, Row>, b: ptr<function, Row>) -> f32 {
  var products = (*a)[0] * (*b)[0];
  for (var c = 1u; c < QUADS; c++) {
    products += (*a)[c] * (*b)[c];
  }
  return dot(products, vec4<f32>(1.0));
}
