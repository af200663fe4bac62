/**
 * What a case of any size is held against: the twin in float64 where that takes seconds at most; for larger ones the plainest shipped variant,
 * confirmed by another implementation.
 */
import {
  CpuBackend,
  type Declaration,
  type KernelCase,
  type KernelOutput,
  kernelCost,
  runCase,
  sizedArgs,
} from '../kernels/index.js';
import { compareOutputs, TOLERANCE } from './compare.js';

/** Outputs that are taken to be right. */
export interface Reference {
  /** Where they are from, for people. */
  readonly from: string;
  readonly outputs: readonly KernelOutput[];
  /** What others may be off by: sums longer than those of the suite round more often. */
  readonly tolerance: number;
}

/** The twin does as much in about two seconds. */
const MOST_FLOPS = 4e9;

/** No sum of a real shape rounds so badly. */
const MOST_TOLERANCE = 1e-4;

/** The last that the twin computed: a file that is saved again and again is tried on the same case. */
let last: { readonly name: string; readonly outputs: readonly KernelOutput[] } | undefined;

/** What the shipped variants wrote on a case, from the plainest on. */
export type Shipped = readonly { readonly name: string; readonly outputs: readonly KernelOutput[] }[];

/** The reference for a case; or why there is none. */
export async function referenceOf<D extends Declaration>(
  test: KernelCase<D>,
  shipped: Shipped,
): Promise<Reference | string> {
  const { flops } = kernelCost(test.kernel, sizedArgs(test));
  if (flops <= MOST_FLOPS) {
    if (last?.name !== test.name) last = { name: test.name, outputs: await computed(test, { precision: 'f64' }) };
    return reference('the definition in float64', last.outputs, shipped);
  }
  const plainest = shipped[0];
  if (!plainest) return 'no shipped variant takes it, and it is too large for the definition';
  for (const other of shipped.slice(1)) {
    if (agree(plainest.outputs, other.outputs))
      return reference(`${plainest.name}, with which ${other.name} agrees`, plainest.outputs, shipped);
  }
  if (agree(plainest.outputs, await computed(test, {})))
    return reference(`${plainest.name}, with which the CPU agrees`, plainest.outputs, shipped);
  return `${plainest.name}, the plainest shipped variant, is confirmed by no other`;
}

function agree(one: readonly KernelOutput[], other: readonly KernelOutput[]): boolean {
  return compareOutputs(one, other, MOST_TOLERANCE).wrong === 0;
}

/** Twice what the shipped variants, which round as any sum does, are off by, within bounds. */
function reference(from: string, outputs: readonly KernelOutput[], shipped: Shipped): Reference {
  let tolerance = TOLERANCE;
  for (const one of shipped) {
    const { error } = compareOutputs(one.outputs, outputs);
    if (error <= MOST_TOLERANCE / 2) tolerance = Math.max(tolerance, 2 * error);
  }
  return { from, outputs, tolerance };
}

async function computed<D extends Declaration>(
  test: KernelCase<D>,
  options: { precision?: 'f64' },
): Promise<readonly KernelOutput[]> {
  const device = new CpuBackend({ ...options, poison: true });
  try {
    return await runCase(device, test);
  } finally {
    device.dispose();
  }
}
