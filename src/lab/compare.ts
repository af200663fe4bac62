/** How far what a kernel wrote is from what its definition says. */
import type { KernelOutput } from '../kernels/index.js';

/** The element that is the furthest off. */
export interface WorstElement {
  readonly output: string;
  /** Its place in the output, a number for each axis. */
  readonly index: readonly number[];
  readonly expected: number;
  /** NaN if it was never written, since outputs are poisoned. */
  readonly found: number;
}

/** How an implementation's outputs differ from the definition's. */
export interface Comparison {
  /** The largest |found - expected| relative to the largest |expected| of the same output. NaN where anything is NaN. */
  readonly error: number;
  /** How many elements are off by more than the tolerance, of how many. */
  readonly wrong: number;
  readonly elements: number;
  /** Numbers behind the outputs that were written over; they count as wrong too. */
  readonly overrun: number;
  /** Undefined if all elements are equal. */
  readonly worst?: WorstElement | undefined;
}

/** Rounding of float32 sums of some hundred terms, relative to the largest element. */
export const TOLERANCE = 2e-6;

/** Below this, an output of nothing but tiny numbers is not judged by its own size. */
const LEAST_SCALE = 1e-6;

/** Compares all outputs of a case. Throws Error if the two are not outputs of one case. */
export function compareOutputs(
  found: readonly KernelOutput[],
  expected: readonly KernelOutput[],
  tolerance = TOLERANCE,
): Comparison {
  if (found.length !== expected.length) throw new Error(`${found.length} outputs beside ${expected.length}`);
  let error = 0;
  let wrong = 0;
  let elements = 0;
  let overrun = 0;
  let worst: WorstElement | undefined;
  for (const [i, { name, shape, values }] of expected.entries()) {
    const actual = found[i]!.values;
    overrun += found[i]!.overrun;
    if (actual.length !== values.length) throw new Error(`${name}: ${actual.length} elements, not ${values.length}`);
    elements += values.length;
    let scale = LEAST_SCALE;
    for (const value of values) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
    for (const [at, value] of values.entries()) {
      // NaN and infinities must be what the definition says.
      const off = Object.is(actual[at]!, value) ? 0 : Math.abs(actual[at]! - value) / scale;
      // Written so that NaN counts as wrong.
      if (!(off <= tolerance)) wrong++;
      if (off > error || (Number.isNaN(off) && !Number.isNaN(error))) {
        error = off;
        worst = { output: name, index: indexOf(at, shape), expected: value, found: actual[at]! };
      }
    }
  }
  return { error, wrong: wrong + overrun, elements, overrun, worst };
}

/** A place in a row-major array, a number for each axis. */
function indexOf(at: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = at;
  for (const axis of [...shape].reverse()) {
    index.unshift(rest % axis);
    rest = Math.floor(rest / axis);
  }
  return index;
}
