/** The compiled kernels trust their addresses: an operand that is too short for a call's sizes is refused before any of them runs. */
import { expect, it } from 'vitest';
import {
  CpuBackend,
  caseOf,
  type DeviceBuffer,
  kernelNamed,
  kernels,
  openCase,
  type Sizes,
} from '../../../src/kernels/index.js';

const trees = { whole: 0, sequences: 2, prefix: 9, suffixes: 2, suffix: 9, heads: 2, headWidth: 16 };
const rows = { rows: 20, columns: 20 };
const product = { m: 20, n: 20, k: 20, bias: 1, residual: 1 };

const cases: [string, Sizes, operands: string[]][] = [
  ['matmul', { ...product, activation: 1, preActivation: 1 }, ['a', 'b', 'bias', 'out', 'preActivation', 'residual']],
  ['matmul', { ...product, half: 1, activationGrad: 1 }, ['a', 'b', 'bias', 'gradPreActivation', 'out', 'residual']],
  ['layerNorm', rows, ['bias', 'out', 'statistics', 'weight', 'x']],
  ['layerNormGrad', { ...rows, addend: 1 }, ['addend', 'gradOut', 'gradX', 'statistics', 'weight', 'x']],
  ['attention', trees, ['k', 'logSumExp', 'out', 'q', 'v', 'visible']],
  ['attentionGradQuery', trees, ['delta', 'gradOut', 'gradQ', 'k', 'logSumExp', 'q', 'v', 'visible']],
  ['attentionGradKeyValue', trees, ['delta', 'gradKv', 'gradOut', 'k', 'logSumExp', 'q', 'seenBy', 'v']],
];

/** The call's arguments, each with one of its buffers replaced. */
function replaced(args: object, by: (buffer: DeviceBuffer) => DeviceBuffer): Map<string, object> {
  const isBuffer = (value: unknown): value is DeviceBuffer =>
    typeof value === 'object' && value !== null && 'dtype' in value;
  const calls = new Map<string, object>();
  for (const [name, value] of Object.entries(args)) {
    if (isBuffer(value)) calls.set(name, { ...args, [name]: by(value) });
  }
  return calls;
}

it.each(cases)('%s %o', (name, sizes, operands) => {
  const kernel = kernelNamed(name);
  const device = new CpuBackend();
  const refused: string[] = [];
  {
    using open = openCase(device, caseOf(kernel, sizes));
    device.run(kernel, open.args);
    for (const [operand, args] of replaced(open.args, ({ dtype }) => device.allocate(dtype, 1))) {
      try {
        device.run(kernel, args as typeof open.args);
      } catch (error) {
        expect((error as Error).message).toMatch(
          new RegExp(`^${name}: expected \\w+ of \\d+ bytes or more, found 64 at address \\d+$`),
        );
        refused.push(operand);
      }
    }
  }
  expect(refused.sort()).toEqual(operands);
  device.dispose();
});

it.each([
  // The last of 54 + 41 rows of 384 bytes, of which k begins after the first 128 and ends before the last 128.
  ['rows that are not there', 41, /^attention: expected k of 36352 bytes or more, found 20736 /],
  ['rows before the first', -1, 'attention: expected row numbers from 0 in ranges, found -1'],
] as const)('attention to %s', (_, row, message) => {
  const device = new CpuBackend();
  using open = openCase(device, caseOf(kernels.attention, { ...trees, leaves: 1 }));
  const { visible, keys } = open.args;
  expect(keys).toBe(54);
  const ranges = new Int32Array(visible.length);
  ranges.set(row < 0 ? [row, 3] : [0, keys + row]);
  device.write(visible, ranges);
  expect(() => device.run(kernels.attention, open.args)).toThrow(message);
  device.dispose();
});
