/** JSON files of a known shape, checked against a schema: nothing in a file is trusted unless it is checked. */
import * as v from 'valibot';
import { shortened } from '../clip/checkpoint/quoted.js';
import { InputError } from '../errors.js';

export const text = v.string();
export const finite = v.pipe(v.number(), v.finite());
export const positive = v.pipe(finite, v.gtValue(0));
/** From 0 to 1. */
export const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
/** A whole number from 0. */
export const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const fromOne = v.pipe(whole, v.minValue(1));

/**
 * `json` as `schema` describes it, without what the schema does not name. Throws InputError naming `path`, and where in the file, for
 * anything else: `expected <what>, found <this> at <place><help>`.
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

/** A number or null, alone on its line, of an array of such. */
const NUMBER_LINES = /\[\n\s*(?:(?:-?\d[\d.eE+-]*|null),?\s+)+\]/g;

/** `value` as JSON with one property per line and one line per array of numbers, so that a matrix reads as its rows. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(NUMBER_LINES, (lines) =>
    lines.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'),
  );
}

/** Whether a matrix from a file has `size` rows and columns. */
export function isSquare(matrix: readonly (readonly number[])[], size: number | undefined): boolean {
  return matrix.length === size && matrix.every((row) => row.length === size);
}
