/** What the parity suite does not show of attention in WebAssembly: threads, the division into blocks, where it gives way to the twin. */
import { describe, expect, it } from 'vitest';
import { attentionCapacity, planAttention } from '../../../src/kernels/cpu/wasm/attention-job.js';
import { TILES } from '../../../src/kernels/cpu/wasm/layout.generated.js';
import { SCRATCH_BYTES } from '../../../src/kernels/cpu/wasm/matmul-job.js';
import { causalRows, pictureRows, type RowVisibility, treeRows } from '../../../src/kernels/families/visibility.js';
import {
  anyKernel,
  type CaseData,
  CpuBackend,
  caseOf,
  type KernelCase,
  kernels,
  runCase,
} from '../../../src/kernels/index.js';
import { compareOutputs } from '../../../src/lab/index.js';
import { startNodeWorker } from '../../../src/node/wasm-threads.js';

const oracle = new CpuBackend({ precision: 'f64' });

/** Attention and both gradients over rows of 3 heads in one packed buffer, as in a block. */
function casesOf(
  name: string,
  { visible, seenBy }: Pick<RowVisibility, 'visible' | 'seenBy'>,
  headWidth: number,
): KernelCase[] {
  const heads = 3;
  const width = heads * headWidth;
  const rows = visible.length / 4;
  const shared = (d: CaseData) => {
    const packed = d.real(rows * 3 * width);
    const sizes = {
      queries: rows,
      keys: rows,
      heads,
      headWidth,
      qStride: 3 * width,
      kStride: 3 * width,
      vStride: 3 * width,
    };
    const offsets = { qOffset: 0, kOffset: width, vOffset: 2 * width };
    return { ...sizes, ...offsets, q: packed, k: packed, v: packed, visible: d.ints(visible), seenBy: d.ints(seenBy) };
  };
  const incoming = (d: CaseData) => ({
    logSumExp: d.values(new Float32Array(rows * heads).fill(2)),
    delta: d.real(rows * heads),
    gradOut: d.real(rows * width),
  });
  return [
    {
      kernel: anyKernel(kernels.attention),
      name: `attention ${name}`,
      args: (d) => ({ ...shared(d), out: d.output(rows * width), logSumExp: d.output(rows * heads) }),
    },
    {
      kernel: anyKernel(kernels.attentionGradQuery),
      name: `attentionGradQuery ${name}`,
      args: (d) => ({ ...shared(d), ...incoming(d), gradQ: d.part(rows, 3 * width) }),
    },
    {
      kernel: anyKernel(kernels.attentionGradKeyValue),
      name: `attentionGradKeyValue ${name}`,
      args: (d) => ({ ...shared(d), ...incoming(d), gradKv: d.part(rows, 3 * width) }),
    },
  ];
}

it('gives the same bits however many threads there are', async () => {
  const devices = [1, 2, 3].map((threads) => new CpuBackend({ threads, startWorker: startNodeWorker, poison: true }));
  const cases = [
    ...casesOf('pictures', pictureRows(9, 50), 64),
    ...casesOf('trees', treeRows(40, 11, [2, 2, 3, 2, 2, 2, 4, 2]), 64),
    ...casesOf('sentences', causalRows([77, 77, 77, 5, 77]), 65),
  ];
  for (const test of cases) {
    const [one, ...others] = await Promise.all(devices.map((device) => runCase(device, test)));
    expect(compareOutputs(one!, await runCase(oracle, test)).wrong, test.name).toBe(0);
    for (const other of others) expect(other, test.name).toEqual(one);
  }
  for (const device of devices) device.dispose();
});

it('a row that sees more than fits a thread is left to the twin', async () => {
  const [fast, plain] = [new CpuBackend({ poison: true }), new CpuBackend({ wasm: false, poison: true })];
  const rows = attentionCapacity('attention', 64, SCRATCH_BYTES) + 1;
  for (const test of casesOf('long', pictureRows(1, rows), 64).slice(0, 1)) {
    expect(await runCase(fast, test)).toEqual(await runCase(plain, test));
  }
  fast.dispose();
  plain.dispose();
});

describe('with a bias', () => {
  const caseOfSizes = (images: number, rows: number) =>
    caseOf(kernels.biasedAttention, { images, rows, heads: 3, headWidth: 64 });

  it('gives the same bits however many threads and images there are', async () => {
    const devices = [1, 3].map((threads) => new CpuBackend({ threads, startWorker: startNodeWorker, poison: true }));
    // 65 rows: blocks of 60 go on into the next image.
    const test = caseOfSizes(7, 65);
    const [one, three] = await Promise.all(devices.map((device) => runCase(device, test)));
    expect(three).toEqual(one);
    expect(compareOutputs(one!, await runCase(oracle, test)).wrong).toBe(0);
    for (const device of devices) device.dispose();
  });

  it('images that do not fit a thread are left to the twin', async () => {
    const [fast, plain] = [new CpuBackend({ poison: true }), new CpuBackend({ wasm: false, poison: true })];
    const test = caseOfSizes(1, attentionCapacity('attention', 64, SCRATCH_BYTES) + 1);
    expect(await runCase(fast, test)).toEqual(await runCase(plain, test));
    fast.dispose();
    plain.dispose();
  });
});

it('gives the same bits where the memory is at its limit', async () => {
  const [free, limited] = [new CpuBackend(), new CpuBackend()];
  limited.limitMemory(0);
  // Each sees itself. The list of their blocks is larger than what is left of a page of the heap.
  const rows = Array.from({ length: 60_000 }, (_, row) => row);
  const geometry = {
    visible: rows.flatMap((row) => [row, row + 1, 0, 0]),
    seenBy: rows.flatMap((row) => [row, row + 1]),
  };
  const [attention] = casesOf('many', geometry, 3);
  expect(await runCase(limited, attention!)).toEqual(await runCase(free, attention!));
  free.dispose();
  limited.dispose();
});

it('a NaN in a key reaches every row that sees it and no other picture', async () => {
  const device = new CpuBackend({ poison: true });
  const [attention] = casesOf('pictures', pictureRows(2, 50), 8);
  const broken = {
    ...attention!,
    args: (d: CaseData) => {
      const args = attention!.args(d) as Parameters<typeof kernels.attention.units>[0];
      const numbers = new Float32Array(args.k.length).fill(0.5);
      numbers[7 * args.kStride + args.kOffset] = Number.NaN;
      device.write(args.k, numbers);
      return args;
    },
  };
  const [out] = await runCase(device, broken);
  const width = 3 * 8;
  const firstHead = (row: number) => Number.isNaN(out!.values[row * width]!);
  for (let row = 0; row < 100; row++) expect(firstHead(row), `row ${row}`).toBe(row < 50);
  device.dispose();
});

it.each(Object.values(TILES))(
  'blocks cover all rows once, hold what their rows see, and fit: $columns columns',
  (tile) => {
    const geometries = [pictureRows(5, 50), causalRows([300, 1, 2, 40]), treeRows(3, 16, Array(100).fill(3))];
    for (const { visible, seenBy } of geometries) {
      for (const [ranges, perRow] of [
        [visible, 2],
        [seenBy, 1],
      ] as const) {
        const rows = ranges.length / perRow / 2;
        const plan = planAttention(Int32Array.from(ranges), { address: 0, rows, perRow }, 384, tile)!;
        let next = 0;
        for (const { row, rowEnd, first, firstEnd, second, secondEnd } of plan.blocks) {
          expect(row).toBe(next);
          next = rowEnd;
          const panels = (length: number) => Math.ceil(length / tile.columns) * tile.columns;
          expect(panels(firstEnd - first) + panels(secondEnd - second)).toBeLessThanOrEqual(plan.capacity);
          for (let r = row; r < rowEnd; r++) {
            const seen = ranges.slice(r * perRow * 2, (r + 1) * perRow * 2);
            const inside = (from: number, to: number, start: number, end: number) =>
              start >= end || (start >= from && end <= to);
            expect(inside(first, firstEnd, seen[0]!, seen[1]!), `row ${r}`).toBe(true);
            if (perRow === 2) expect(inside(second, secondEnd, seen[2]!, seen[3]!), `row ${r}`).toBe(true);
          }
        }
        expect(next).toBe(rows);
        expect(plan.capacity).toBeLessThanOrEqual(384);
      }
    }
  },
);
