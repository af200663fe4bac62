// Linear invocation indices for elementwise kernels. Workgroups of 64 in a grid no wider than 65,535.

fn element_number(group: vec3<u32>, groups: vec3<u32>, lane: u32) -> u32 {
  return (group.y * groups.x + group.x) * 64u + lane;
}
