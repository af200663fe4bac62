/** The exercises' checks: a right answer passes, the starting file does not, and neither do the wrong answers one might think of. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { WebGpuBackend } from '../../src/kernels/index.js';
import { checkExercise, exercises } from '../../src/lab/index.js';
import { describeOn } from '../support/devices.js';

const start = (file: string) => readFile(new URL(`../../docs/kernels/exercises/${file}`, import.meta.url), 'utf8');
const solution = (file: string) => readFile(new URL(`solutions/${file}`, import.meta.url), 'utf8');

/** What each starting file is told. */
const NOT_YET = [
  /^it is wrong on \d+ of \d+ cases$/,
  /^it does not take matmul m=5,n=7,k=3,bias=1: it has no constant HAS_BIAS$/,
  /^it has 6 barriers; at most 4 are needed$/,
  /^a workgroup covers 64 elements; it should be 256$/,
  /^it does not take matmul m=1,n=1,k=1,.*half=1: it reads b in single precision$/,
];

/** Wrong answers, as changes of the right ones. */
const WRONG: readonly (readonly [number: number, what: string, from: string | RegExp, to: string])[] = [
  [1, 'a bound instead of the largest', /var largest = x\[at\];[\s\S]*?\n {2}\}\n/, 'let largest = 80.0;\n'],
  [
    1,
    'the largest of all but the last',
    'c < params.columns; c++) {\n    largest',
    'c + 1u < params.columns; c++) {\n    largest',
  ],
  [2, 'a bias for each row', 'bias[column]', 'bias[row]'],
  [
    2,
    'the bias scaled with the sum',
    /var v = params.alpha \* sum;([\s\S]*?)out\[(.*?)\] = v;/,
    'var v = sum;$1out[$2] = params.alpha * v;',
  ],
  [2, 'a bias that is always there', 'if (HAS_BIAS)', 'if (HAS_BIAS || true)'],
  [3, 'one memory for both reductions', /sums\[/g, 'scratch['],
  [3, 'no barrier before the halving', /= value;\n {2}workgroupBarrier\(\);/g, '= value;'],
  [3, 'no barrier within the halving', /\}\n {4}workgroupBarrier\(\);/g, '}'],
  [4, 'elements beyond the end', 'min(first + 256u, params.length)', 'first + 256u'],
  [4, 'three elements each', 'first + 256u', 'first + 192u'],
  [4, 'a share that is not what the workgroup does', '* 256u + lane', '* 64u + lane'],
  [4, 'larger workgroups', '@workgroup_size(64)', '@workgroup_size(256)'],
  [5, 'the halves of a word the wrong way round', '[at % 2u]', '[1u - at % 2u]'],
  [5, 'a word for each number', 'b[at / 2u]', 'b[at]'],
];

describeOn('webgpu', 'exercises', (device) => {
  const check = (number: number, text: string) => {
    const backend = device();
    if (!(backend instanceof WebGpuBackend)) throw new Error('not WebGPU');
    return checkExercise(backend, exercises[number - 1]!, 'answer.wgsl', text);
  };

  for (const { number, title, file } of exercises) {
    it(`${number}, ${title}: the start does not pass, the solution does`, async () => {
      const { passed, reason } = await check(number, await start(file));
      expect(passed).toBe(false);
      expect(reason).toMatch(NOT_YET[number - 1]!);
      expect(await check(number, await solution(file))).toMatchObject({ passed: true, reason: '' });
    });
  }

  for (const [number, what, from, to] of WRONG) {
    it(`${number}: ${what} does not pass`, async () => {
      const right = await solution(exercises[number - 1]!.file);
      const wrong = right.replace(from, to);
      expect(wrong).not.toBe(right);
      expect(await check(number, wrong)).toMatchObject({ passed: false });
    });
  }
});
