/**
 * The arithmetic that a GPU can do at best: a shader that multiplies and adds vectors in registers and touches memory
 * only at its start and end.
 */

/** Independent sums, enough to hide the latency of an addition. */
const SUMS = 8;
/** Multiply-adds of each sum in a turn of the loop: many, since software adapters pay for the loop itself. */
const UNROLL = 16;
const TURNS = 256;
const LANES = 64;
const WORKGROUPS = 256;
const RUNS = 5;

/** GFLOP/s, the best of several runs. */
export async function webGpuCeiling(device: GPUDevice): Promise<number> {
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: shader() }), entryPoint: 'main' },
  });
  const bytes = LANES * WORKGROUPS * 4;
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = USAGE;
  const numbers = device.createBuffer({ size: bytes, usage: STORAGE | COPY_SRC | COPY_DST });
  const staging = device.createBuffer({ size: 4, usage: MAP_READ | COPY_DST });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: numbers } }],
  });
  let best = Number.POSITIVE_INFINITY;
  // The first run compiles and does not count.
  for (let run = 0; run <= RUNS; run++) {
    device.queue.writeBuffer(numbers, 0, new Float32Array(bytes / 4).fill(0.5));
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(WORKGROUPS);
    pass.end();
    encoder.copyBufferToBuffer(numbers, 0, staging, 0, 4);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    staging.unmap();
    if (run > 0) best = Math.min(best, (performance.now() - start) / 1000);
  }
  numbers.destroy();
  staging.destroy();
  const multiplyAdds = LANES * WORKGROUPS * TURNS * UNROLL * SUMS * 4;
  return (2 * multiplyAdds) / best / 1e9;
}

/** WebGPU's flags; Node has no global `GPUBufferUsage`. */
const USAGE = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, STORAGE: 128 } as const;

/** sum = sum * x + x with x = 0.5 tends to 1: neither overflow nor denormal numbers. */
function shader(): string {
  const sums = Array.from({ length: SUMS }, (_, i) => `s${i}`);
  const turn = Array.from({ length: UNROLL }, () => sums.map((s) => `${s} = fma(${s}, x, x);`).join(' '));
  return `
    @group(0) @binding(0) var<storage, read_write> numbers: array<f32>;
    @compute @workgroup_size(${LANES})
    fn main(@builtin(global_invocation_id) id: vec3<u32>) {
      let x = vec4<f32>(numbers[id.x]);
      ${sums.map((s, i) => `var ${s} = x * ${i}.0;`).join('\n')}
      for (var turn = 0u; turn < ${TURNS}u; turn++) {
        ${turn.join('\n')}
      }
      let sum = ${sums.join(' + ')};
      numbers[id.x] = sum.x + sum.y + sum.z + sum.w;
    }`;
}
