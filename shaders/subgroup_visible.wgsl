// What a query sees, for the subgroup variants of attention whose lanes are queries.

// The two ranges of keys that a query sees; none if the lane has no such query.
fn visible_by(query: u32, has_query: bool) -> vec4<u32> {
  return select(vec4<u32>(), vec4<u32>(visible[query]), has_query);
}

fn is_in(seen: vec4<u32>, key: u32) -> bool {
  return (seen.x <= key && key < seen.y) || (seen.z <= key && key < seen.w);
}

// The first key of either range; past all keys if both are empty.
fn first_of(seen: vec4<u32>) -> u32 {
  return min(select(params.keys, seen.x, seen.x < seen.y), select(params.keys, seen.z, seen.z < seen.w));
}
