/** Image features on the host: normalised, and checked for NaN. */
import { InputError } from '../errors.js';

/** L2-normalises each row of [rows, width] in float64, which gives the method's f. Returns a new array. */
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

/** The model computes NaN or infinite values. */
export class NonFiniteError extends InputError {}

/** True if no value is NaN or infinite. */
export function allFinite(values: Float32Array): boolean {
  return values.every((value) => Number.isFinite(value));
}

/** Returns the logits (of any shape), or throws NonFiniteError if one is NaN or infinite. */
export function finiteLogits(logits: Float32Array): Float32Array {
  if (allFinite(logits)) return logits;
  throw new NonFiniteError(
    "the logits are NaN or infinite: the prompts or the model's weights are damaged (ptdpc verify checks a model)",
  );
}
