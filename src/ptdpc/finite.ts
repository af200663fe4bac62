/** NaN and infinities: what stops a computation whose results would mean nothing. */
import { InputError } from '../errors.js';

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
