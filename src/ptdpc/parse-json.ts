/** Parses JSON files and validates them against a schema. */
import * as v from 'valibot';
import { shortened } from '../clip/checkpoint/quoted.js';
import { InputError } from '../errors.js';

export const text = v.string();
export const finite = v.pipe(v.number(), v.finite());
export const positive = v.pipe(finite, v.gtValue(0));
/** From 0 to 1. */
export const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
/** A non-negative integer. */
export const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const fromOne = v.pipe(whole, v.minValue(1));

/**
 * Parses `json` by `schema`, dropping keys that the schema does not name. Otherwise throws InputError with `path` and the place in the
 * file: `expected <what>, found <this> at <place><help>`.
 */
export function parseJsonAs<T>(
  schema: v.GenericSchema<unknown, T>,
  json: string,
  path: string,
  what: string,
  help = '',
): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new InputError(`${path}: expected ${what}, found no JSON${help}`);
  }
  const { success, output, issues } = v.safeParse(schema, value, { abortEarly: true });
  if (success) return output;
  const place = v.getDotPath(issues[0]);
  const found = place === null ? 'something else' : `${shortened(issues[0].received)} at ${place}`;
  throw new InputError(`${path}: expected ${what}, found ${found}${help}`);
}

/** An array of numbers or nulls, each on its own line. */
const NUMBER_LINES = /\[\n\s*(?:(?:-?\d[\d.eE+-]*|null),?\s+)+\]/g;

/** `value` as JSON with one line per property and per array of numbers, so that matrices are shown by rows. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(NUMBER_LINES, (lines) =>
    lines.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'),
  );
}

/** Whether a matrix from a file has `size` rows and columns. */
export function isSquare(matrix: readonly (readonly number[])[], size: number | undefined): boolean {
  return matrix.length === size && matrix.every((row) => row.length === size);
}

/** The measures of an evaluation, as results and experiments have them. */
export const measures = {
  accuracy: share,
  loss: finite,
  macroF1: share,
  calibrationError: finite,
  calibration: v.array(v.object({ count: fromOne, confidence: share, accuracy: share })),
  perClassAccuracy: v.array(v.nullable(share)),
} as const;
