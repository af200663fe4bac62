/** The reference models on a device, twice, beside numbers that the float64 twins computed once. */
import type { Backend } from '../../kernels/index.js';
import type { WorstElement } from '../compare.js';
import { type ReferenceModel, type ReferenceOutput, runReferenceModel } from './reference-model.js';
import { REFERENCE_NUMBERS } from './reference-numbers.generated.js';

/** One output of a reference model. */
export interface ReferenceCheck {
  readonly model: ReferenceModel;
  readonly output: ReferenceOutput;
  /** How many elements there are; `compared` of them are stored. */
  readonly elements: number;
  readonly compared: number;
  /** The largest difference from a stored number, relative to the largest stored one. NaN where anything is NaN. */
  readonly error: number;
  readonly tolerance: number;
  /** Its `index` is the place in the output, counted over all axes; undefined if all are equal. */
  readonly worst?: WorstElement | undefined;
  /** Of all elements, how many have other bits in a second run on a device that was opened anew. */
  readonly changed: number;
}

/** Numbers of each output that are stored, evenly spaced. */
const STORED = 24;

/** What a right device rounds differently, relative to the largest number: several times what was ever seen. */
export const REFERENCE_TOLERANCE = 2e-5;

/** Models to be held against stored numbers. */
export const REFERENCE_MODELS = Object.keys(REFERENCE_NUMBERS) as readonly ReferenceModel[];

/** The elements of an output that are stored. */
export function storedPlaces(elements: number): number[] {
  const count = Math.min(STORED, elements);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) * elements) / count));
}

/** What is stored of a model, as a backend computes it: eight digits, as many as float32 has. */
export async function storedNumbers(
  backend: Backend,
  model: ReferenceModel,
): Promise<Record<ReferenceOutput, readonly number[]>> {
  const outputs = await runReferenceModel(backend, model);
  const stored = (values: Float32Array) =>
    storedPlaces(values.length).map((place) => Number(values[place]!.toPrecision(8)));
  return {
    features: stored(outputs.features),
    losses: stored(outputs.losses),
    logits: stored(outputs.logits),
    gradient: stored(outputs.gradient),
    change: stored(outputs.change),
  };
}

/** Runs a model on two devices, opened one after the other by `open`, and disposes of both. Throws what the device throws. */
export async function checkReference(open: () => Promise<Backend>, model: ReferenceModel): Promise<ReferenceCheck[]> {
  const once = async () => {
    const backend = await open();
    try {
      return await runReferenceModel(backend, model);
    } finally {
      backend.dispose();
    }
  };
  const found = await once();
  const again = await once();
  return (Object.keys(found) as ReferenceOutput[]).map((output) => ({
    model,
    output,
    ...compared(output, found[output], REFERENCE_NUMBERS[model][output]),
    changed: found[output].reduce((sum, value, i) => sum + Number(!Object.is(value, again[output][i])), 0),
  }));
}

function compared(
  output: ReferenceOutput,
  found: Float32Array,
  stored: readonly number[],
): Pick<ReferenceCheck, 'elements' | 'compared' | 'error' | 'tolerance' | 'worst'> {
  const scale = Math.max(...stored.map(Math.abs));
  let error = 0;
  let worst: WorstElement | undefined;
  for (const [i, place] of storedPlaces(found.length).entries()) {
    const expected = stored[i]!;
    const off = Math.abs(found[place]! - expected) / scale;
    if (off > error || (Number.isNaN(off) && !Number.isNaN(error))) {
      error = off;
      worst = { output, index: [place], expected, found: found[place]! };
    }
  }
  return { elements: found.length, compared: stored.length, error, tolerance: REFERENCE_TOLERANCE, worst };
}
