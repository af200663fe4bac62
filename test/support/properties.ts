/** Property tests: how many cases, the same ones on each run, and what every reader owes a file that was cut. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { InputError } from '../../src/errors.js';

/** Runs of a property that costs a millisecond or two. */
export const RUNS = { seed: 1, numRuns: 50 } as const;

/** Texts of any characters, among them those that formats give a meaning to, and terminals. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', "'", '\n', '\r', '/', '\\', '.', '\0', '{', '=', '\u2028') }),
);

/** Float32 numbers without NaN, by their bits. */
export const anyFloat = fc.float({ noNaN: true });

/** Expects the whole to be read, and every shorter file to be refused in one line that names it; cuts at the given shares of it. */
export async function expectWholeOnly(
  whole: Uint8Array,
  name: string,
  cuts: readonly number[],
  read: (bytes: Uint8Array<ArrayBuffer>) => unknown,
): Promise<void> {
  await read(new Uint8Array(whole));
  const lengths = [0, 1, whole.length - 1, ...cuts.map((share) => Math.floor(share * whole.length))];
  for (const length of lengths) {
    const outcome = await Promise.resolve()
      .then(() => read(new Uint8Array(whole.subarray(0, length))))
      .then(
        () => `a file cut to ${length} of ${whole.length} bytes was read`,
        (error: unknown) => error,
      );
    expect(outcome).toBeInstanceOf(InputError);
    expect((outcome as InputError).message).toContain(name);
    expect((outcome as InputError).message).not.toMatch(/\p{Cc}/u);
  }
}

/** Shares of a file at which to cut it. */
export const someCuts = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
  minLength: 8,
  maxLength: 8,
});
