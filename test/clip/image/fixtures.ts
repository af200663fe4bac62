/** The image fixtures and a seeded random generator, shared by the tests of this folder. */
import { readFileSync } from 'node:fs';

export interface Case {
  readonly input: string;
  readonly expected: string;
  readonly size: number;
}

const folder = new URL('../../fixtures/preprocess/', import.meta.url);

/** A file of the fixtures, as a plain Uint8Array. */
export const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, folder)));

/** The cases of `<prefix>cases.json`, with paths relative to the fixtures. */
export const casesIn = (prefix: '' | 'small/'): Case[] =>
  (JSON.parse(readFileSync(new URL(`${prefix}cases.json`, folder), 'utf8')) as Case[]).map((entry) => ({
    ...entry,
    input: prefix + entry.input,
    expected: prefix + entry.expected,
  }));

/** Whole numbers from 0 up to, not including, `below`; the same ones for the same seed. */
export function randomIntegers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Mean and maximum of the absolute differences. */
export function differences(a: Uint8Array, b: Uint8Array): { mean: number; max: number } {
  if (a.length !== b.length) throw new Error(`lengths ${a.length} and ${b.length}`);
  let sum = 0;
  let max = 0;
  for (const [index, value] of a.entries()) {
    const difference = Math.abs(value - (b[index] ?? 0));
    sum += difference;
    max = Math.max(max, difference);
  }
  return { mean: sum / Math.max(1, a.length), max };
}
