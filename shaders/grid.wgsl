// Which part of the work an invocation does. Workgroups of 64 lie in a grid no wider than 65,535, which WebGPU allows everywhere, so that their
// number has two parts; kernels ignore what lies past the end.

const LANES = 64u;

// Without the lane: the compiler takes a struct for as little uniform as its least uniform member, and barriers need uniform control flow.
struct Grid {
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
}

// Number of the workgroup, for kernels that give a row to each.
fn group_number(grid: Grid) -> u32 {
  return grid.group.y * grid.groups.x + grid.group.x;
}

// Number of the invocation, for kernels that give an element to each.
fn element_number(grid: Grid, lane: u32) -> u32 {
  return group_number(grid) * LANES + lane;
}

// Elements that an invocation computes in kernels that give several to each. They lie a workgroup's width apart, so that neighbouring lanes read
// neighbouring elements.
const ELEMENTS = 4u;

// Number of the i-th of them.
fn nth_element(grid: Grid, lane: u32, i: u32) -> u32 {
  return (group_number(grid) * ELEMENTS + i) * LANES + lane;
}
