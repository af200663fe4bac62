/**
 * What a GPU can do at best. Arithmetic: a shader that multiplies and adds vectors in registers and touches memory only at its start and
 * end. Memory: copying from buffer to buffer.
 */

/** What a device can do at best. Measured, since data sheets do not tell of this machine. */
export interface DeviceCeilings {
  readonly gflops: number;
  /** Bytes read and bytes written, in GB/s. */
  readonly gbytes: number;
}

/** The share of the ceiling that is nearer: arithmetic or copying. */
export function shareOfCeiling(
  { gflops, gbytes }: { readonly gflops: number; readonly gbytes: number },
  ceilings: DeviceCeilings,
): number {
  return Math.max(gflops / ceilings.gflops, gbytes / ceilings.gbytes);
}

/** How to wait for a device, if the host would otherwise poll and take a core from it. */
export type Wait = <T>(pending: Promise<T>) => Promise<T>;

/** Measures both, in about a second. */
export async function webGpuCeilings(device: GPUDevice, wait: Wait = (pending) => pending): Promise<DeviceCeilings> {
  return { gflops: await webGpuCeiling(device, wait), gbytes: await copyCeiling(device, wait) };
}

/** Independent sums, enough to hide the latency of an addition. */
const SUMS = 8;
/** Multiply-adds of each sum in a turn of the loop: many, since software adapters pay for the loop itself. */
const UNROLL = 16;
const TURNS = 256;
const LANES = 64;
const WORKGROUPS = 256;
const RUNS = 5;

/** GFLOP/s, the best of several runs. */
export async function webGpuCeiling(device: GPUDevice, wait: Wait): Promise<number> {
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: shader() }), entryPoint: 'main' },
  });
  const bytes = LANES * WORKGROUPS * 4;
  const numbers = device.createBuffer({ size: bytes, usage: USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST });
  device.queue.writeBuffer(numbers, 0, new Float32Array(bytes / 4).fill(0.5));
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: numbers } }],
  });
  const seconds = await secondsPerTime(device, wait, numbers, (encoder, times) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(WORKGROUPS);
    pass.end();
  });
  numbers.destroy();
  return (2 * LANES * WORKGROUPS * TURNS * UNROLL * SUMS * 4) / seconds / 1e9;
}

/** GB/s of copying between buffers, bytes read and bytes written both counted; the best of several runs. */
async function copyCeiling(device: GPUDevice, wait: Wait): Promise<number> {
  const usage = USAGE.COPY_SRC | USAGE.COPY_DST;
  const [from, to] = [0, 0].map(() => device.createBuffer({ size: COPY_BYTES, usage })) as [GPUBuffer, GPUBuffer];
  const seconds = await secondsPerTime(device, wait, to, (encoder, times) => {
    for (let i = 0; i < times; i++) encoder.copyBufferToBuffer(from, 0, to, 0, COPY_BYTES);
  });
  from.destroy();
  to.destroy();
  return (2 * COPY_BYTES) / seconds / 1e9;
}

const COPY_BYTES = 1 << 26;
/** A run takes at least as long, so that what it takes to submit and to wait does not count. */
const SHORTEST_RUN_SECONDS = 0.05;

/** Seconds for one time of what `record` records, which writes to `target`; the best of several runs. */
async function secondsPerTime(
  device: GPUDevice,
  wait: Wait,
  target: GPUBuffer,
  record: (encoder: GPUCommandEncoder, times: number) => void,
): Promise<number> {
  const staging = device.createBuffer({ size: 4, usage: USAGE.MAP_READ | USAGE.COPY_DST });
  const run = async (times: number): Promise<number> => {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    record(encoder, times);
    encoder.copyBufferToBuffer(target, 0, staging, 0, 4);
    device.queue.submit([encoder.finish()]);
    await wait(staging.mapAsync(1));
    staging.unmap();
    return (performance.now() - start) / 1000;
  };
  // The first run compiles and does not count.
  await run(1);
  let times = 1;
  let best = await run(times);
  while (best < SHORTEST_RUN_SECONDS) {
    times *= 2;
    best = await run(times);
  }
  for (let i = 1; i < RUNS; i++) best = Math.min(best, await run(times));
  staging.destroy();
  return best / times;
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
