/** Image features on the host: normalised, and checked for NaN. */
import { InputError } from '../errors.js';

/** Each row of [rows, width] divided by its length, in float64: the f of the method. Returns a new array. */
export function normalizedFeatures(features: Float32Array, width: number): Float32Array {
  const out = new Float32Array(features.length);
  for (let at = 0; at < features.length; at += width) {
    let squares = 0;
    for (let i = at; i < at + width; i++) squares += features[i]! ** 2;
    const length = Math.sqrt(squares);
    for (let i = at; i < at + width; i++) out[i] = length === 0 ? 0 : features[i]! / length;
  }
  return out;
}

/** What the model computes are NaN: NaN or infinite. */
export class NonFiniteError extends InputError {}

/** True if no value is NaN or infinite. */
export function allFinite(values: Float32Array): boolean {
  return values.every((value) => Number.isFinite(value));
}

/** The logits, of whatever shape. Throws NonFiniteError if one of them is NaN or infinite. */
export function finiteLogits(logits: Float32Array): Float32Array {
  if (allFinite(logits)) return logits;
  throw new NonFiniteError(
    'the logits are not finite numbers: prompts or weights of the model are not sound (ptdpc verify checks a model)',
  );
}
