/** Runs one kernel on made-up data and returns its outputs, so that two backends can be compared on the same case. */
import type { Backend, DeviceBuffer, DType, KernelName, Kernels } from '../../src/kernels/index.js';
import { randomReals } from './random.js';

/** Makes the buffers of a case. The same seed gives the same data on every backend. */
export interface CaseData {
  /** Random numbers in [-1, 1). */
  real(length: number): DeviceBuffer;
  /** Random halves, in half precision. */
  half(length: number): DeviceBuffer;
  /** Given numbers. */
  values(values: ArrayLike<number>): DeviceBuffer;
  ints(values: ArrayLike<number>): DeviceBuffer;
  /** A buffer that the kernel writes, poisoned before. */
  output(length: number): DeviceBuffer;
  /** A buffer that the kernel updates. */
  inPlace(values: ArrayLike<number>): DeviceBuffer;
}

export interface KernelCase<K extends KernelName = KernelName> {
  name: string;
  kernel: K;
  args: (data: CaseData) => Kernels[K];
}

export function kernelCase<K extends KernelName>(
  kernel: K,
  name: string,
  args: (data: CaseData) => Kernels[K],
): KernelCase<K> {
  return { kernel, name: `${kernel} ${name}`, args };
}

export async function runCase<K extends KernelName>(
  device: Backend,
  test: KernelCase<K>,
  seed = 1,
): Promise<Float64Array[]> {
  const random = randomReals(seed);
  const buffers: DeviceBuffer[] = [];
  const outputs: DeviceBuffer[] = [];
  const keep = (dtype: DType, length: number, data?: ArrayLike<number>) => {
    const buffer = device.allocate(dtype, length);
    buffers.push(buffer);
    if (data) device.write(buffer, data);
    return buffer;
  };
  const args = test.args({
    real: (length) => keep('f32', length, random(length)),
    half: (length) => keep('f16', length, random(length)),
    values: (values) => keep('f32', values.length, values),
    ints: (values) => keep('i32', values.length, values),
    output: (length) => {
      // Poison even on devices that were not opened with `poison`.
      const buffer = keep('f32', length, new Float32Array(length).fill(Number.NaN));
      outputs.push(buffer);
      return buffer;
    },
    inPlace: (values) => {
      const buffer = keep('f32', values.length, values);
      outputs.push(buffer);
      return buffer;
    },
  });
  device.run(test.kernel, args);
  const results: Float64Array[] = [];
  for (const output of outputs) results.push(Float64Array.from(await device.read(output)));
  for (const buffer of buffers) device.free(buffer);
  return results;
}

/** The largest |a - b| relative to the largest |b|, over all outputs; NaN anywhere gives NaN. */
export function relativeError(actual: readonly Float64Array[], expected: readonly Float64Array[]): number {
  if (actual.length !== expected.length) return Number.NaN;
  let worst = 0;
  for (const [i, want] of expected.entries()) {
    const got = actual[i]!;
    if (got.length !== want.length) return Number.NaN;
    let scale = 1e-6;
    let error = 0;
    for (const [j, w] of want.entries()) {
      scale = Math.max(scale, Math.abs(w));
      const difference = Math.abs(got[j]! - w);
      // Not Math.max alone: it would be asked about NaN only by accident of order.
      if (Number.isNaN(difference)) return Number.NaN;
      error = Math.max(error, difference);
    }
    worst = Math.max(worst, error / scale);
  }
  return worst;
}
