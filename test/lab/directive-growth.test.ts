/** A user's WGSL file is read against the contract in time that grows as its text does: counted in characters looked at, not in seconds. */
import { afterEach, expect, it, vi } from 'vitest';
import { kernelNamed } from '../../src/kernels/index.js';
import { readUserKernel, starterText } from '../../src/lab/index.js';

/** What a line-by-line reader of `// lab:` might search again and again. */
const HOSTILE: readonly string[] = [
  '\n',
  ' \n',
  '\r',
  '//',
  '// \n',
  '// lab:\n',
  '// lab: ',
  '// lab: covers',
  '// lab: needs\n',
  '// lab: coversX\n',
  '\t// lab: covers\u00a0',
];

const METHODS = [
  'split',
  'trim',
  'trimStart',
  'startsWith',
  'slice',
  'indexOf',
  'replace',
  'match',
  'matchAll',
] as const;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Characters of the strings whose methods are called; what is cut off a string is not looked at, but for `slice` itself. */
function characters(text: string): number {
  let count = 0;
  const spies = METHODS.map((name) => {
    const original = String.prototype[name] as (this: string, ...args: unknown[]) => unknown;
    return vi.spyOn(String.prototype, name).mockImplementation(function (this: string, ...args: unknown[]) {
      count += name === 'startsWith' || name === 'slice' ? 1 : this.length;
      return original.apply(this, args);
    } as never);
  });
  try {
    readUserKernel(kernelNamed('softmax'), 'mine.wgsl', text);
  } catch {
    // Refused is as good as read.
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return count;
}

it.each(HOSTILE)('takes steps in proportion to a text of %j', (part) => {
  const plain = starterText(kernelNamed('softmax')).replace(/.*lab: covers.*/, '');
  const [once, twice, four] = [1000, 2000, 4000].map((times) => characters(`${plain}\n${part.repeat(times)}`));
  expect(once).toBeGreaterThan(1000);
  expect(twice).toBeLessThan(2.1 * once!);
  expect(four).toBeLessThan(4.2 * once!);
});
