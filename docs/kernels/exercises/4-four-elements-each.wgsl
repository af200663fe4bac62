// Exercise 4: four elements per invocation.
//
// Here every invocation computes one element, so that a long vector needs many workgroups, each with a cost to start. Write
// the variant in which each of a workgroup's 64 invocations computes four: a workgroup then covers 256. Mind which four (neighbouring
// invocations should read neighbouring elements), and vectors of any length.
//
//     npx ptdpc lab exercise 4 --check <your copy>
//
// lab: covers 64

struct Params {
  length: u32,
  scale: f32,
  shift: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // [length]
@group(0) @binding(2) var<storage, read> addend: array<f32>;      // [length]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;   // [length]

override HAS_ADDEND: bool = false;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= params.length) {
    return;
  }
  var v = params.scale * x[at] + params.shift;
  if (HAS_ADDEND) {
    v += addend[at];
  }
  out[at] = v;
}
