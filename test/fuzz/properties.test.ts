/** What holds for every parser whatever it is given: it reads or refuses, as `fuzz/judge.ts` has it, and does the same again. */
import { mkdir } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { judge } from '../../fuzz/judge.js';
import { PARSERS } from '../../fuzz/parsers/index.js';
import { Random } from '../../fuzz/random.js';
import { scratchFolder } from '../node/scratch.js';

const scratch = scratchFolder();
const { PTDPC_CACHE: cache } = process.env;

beforeAll(async () => {
  for (const { name, prepare } of PARSERS) {
    await mkdir(scratch(name));
    await prepare?.(scratch(name));
  }
});

afterAll(() => {
  if (cache === undefined) delete process.env.PTDPC_CACHE;
  else process.env.PTDPC_CACHE = cache;
});

test.each(PARSERS.map((parser) => [parser.name, parser] as const))(
  '%s: any bytes, any JSON, and any beginning of a file',
  async (name, parser) => {
    const utf8 = new TextEncoder();
    const anyInput = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json({ maxDepth: 3 }).map((json) => utf8.encode(json)),
      fc.tuple(fc.nat(1000), fc.double({ min: 0, max: 1, noNaN: true })).map(([index, share]) => {
        const file = parser.make(Random.ofCase(name, 1, index));
        return file.subarray(0, Math.floor(share * file.length));
      }),
    );
    const property = fc.asyncProperty(anyInput, async (input) => {
      const { outcome, problem } = await judge(parser, input);
      expect(problem).toBeUndefined();
      expect((await judge(parser, input)).outcome).toBe(outcome);
    });
    await fc.assert(property, { seed: 1, numRuns: 30 });
  },
);
