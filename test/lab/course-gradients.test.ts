/** The definitions of the course's gradients against finite differences: what an answer is held against must itself be right. */
import { describe, expect, it } from 'vitest';
import { type AnyArgs, anyKernel, type RealArray, sizedArgs } from '../../src/kernels/index.js';
import { taskNamed, tracks } from '../../src/lab/index.js';

type Arrays = Readonly<Record<string, RealArray>>;
type Numbers = Readonly<Record<string, number>>;

/** What a gradient belongs to: the result of which `gradOut` (or its like) is the gradient, from the other operands. */
const FORWARD: Readonly<
  Record<string, { by: Readonly<Record<string, string>>; given: string; out(a: Arrays, n: Numbers): number[] }>
> = {
  'grad-multiply': {
    by: { gradA: 'a', gradB: 'b' },
    given: 'gradOut',
    out: ({ a, b }) => Array.from(a!, (one, i) => one * b![i]!),
  },
  'grad-relu': { by: { gradX: 'x' }, given: 'gradOut', out: ({ x }) => Array.from(x!, (one) => Math.max(one, 0)) },
  'grad-shift': {
    by: { gradShift: 'shift' },
    given: 'gradOut',
    out: ({ shift }, { rows, columns }) => each(rows! * columns!, (i) => shift![i % columns!]!),
  },
  'grad-row-sum': { by: { gradX: 'x' }, given: 'gradOut', out: ({ x }, n) => perRow(x!, n, (row) => sum(row)) },
  'grad-mean-square': {
    by: { gradX: 'x' },
    given: 'gradOut',
    out: ({ x }, n) => perRow(x!, n, (row) => sum(row.map((one) => one ** 2)) / row.length),
  },
  'grad-gather': {
    by: { gradTable: 'table' },
    given: 'gradOut',
    out: ({ table, places }, { rows, columns }) =>
      each(rows! * columns!, (i) => table![places![Math.floor(i / columns!)]! * columns! + (i % columns!)]!),
  },
  'grad-log-sum-exp': {
    by: { gradX: 'x' },
    given: 'gradOut',
    out: ({ x }, n) => perRow(x!, n, (row) => Math.log(sum(row.map(Math.exp)))),
  },
  'grad-rms-norm': {
    by: { gradX: 'x' },
    given: 'gradOut',
    out: ({ x }, n) =>
      perRow(x!, n, (row) => {
        const f = 1 / Math.sqrt(sum(row.map((one) => one ** 2)) / row.length + 1e-5);
        return row.map((one) => one * f);
      }),
  },
  'grad-layer-norm': {
    by: { gradX: 'x' },
    given: 'gradOut',
    out: ({ x }, n) =>
      perRow(x!, n, (row) => {
        const mean = sum(row) / row.length;
        const f = 1 / Math.sqrt(sum(row.map((one) => (one - mean) ** 2)) / row.length + 1e-5);
        return row.map((one) => (one - mean) * f);
      }),
  },
  'grad-left': { by: { gradA: 'a' }, given: 'gradOut', out: ({ a, b }, n) => product(a!, b!, n.m!, n.n!, n.k!) },
  'grad-right': { by: { gradB: 'b' }, given: 'gradOut', out: ({ a, b }, n) => product(a!, b!, n.m!, n.n!, n.k!) },
  'grad-values': {
    by: { gradV: 'v' },
    given: 'gradOut',
    out: ({ p, v }, n) => product(p!, v!, n.queries!, n.width!, n.keys!),
  },
  'grad-weights': { by: { gradWeights: 'weights' }, given: 'gradOut', out: composed },
  'grad-prompts': { by: { gradPrompts: 'prompts' }, given: 'gradOut', out: composed },
  'grad-cosine': {
    by: { gradP: 'p' },
    given: 'grad',
    out: ({ f, p }, { rows, width }) =>
      perRow(p!, { rows: rows!, columns: width! }, (row) => {
        const along = sum(row.map((one, d) => one * f![d]!));
        return along / Math.sqrt(sum(row.map((one) => one ** 2)) * sum(Array.from(f!, (one) => one ** 2)));
      }),
  },
};

const each = (length: number, of: (i: number) => number) => Array.from({ length }, (_, i) => of(i));
const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0);

function perRow(x: RealArray, { rows, columns }: Numbers, of: (row: number[]) => number | number[]): number[] {
  return Array.from({ length: rows! }, (_, row) =>
    of(Array.from(x.subarray(row * columns!, (row + 1) * columns!))),
  ).flat();
}

function product(a: RealArray, b: RealArray, m: number, n: number, k: number): number[] {
  return each(m * n, (at) => sum(each(k, (p) => a[Math.floor(at / n) * k + p]! * b[p * n + (at % n)]!)));
}

function composed({ weights, prompts }: Arrays, { batch, classes, tokens, width }: Numbers): number[] {
  return each(batch! * tokens! * width!, (at) => {
    const [d, j, b] = [at % width!, Math.floor(at / width!) % tokens!, Math.floor(at / (width! * tokens!))];
    return sum(
      each(classes!, (i) => weights![(b * classes! + i) * tokens! + j]! * prompts![(i * tokens! + j) * width! + d]!),
    );
  });
}

/** Numbers in (-1, 1), none near 0, where a positive part has no derivative. */
function made(length: number, seed: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => {
    const value = Math.sin((i + 1) * (seed + 1.7)) * 0.9;
    return value + 0.05 * Math.sign(value);
  });
}

const STEP = 1e-5;

describe('the gradients of the course', () => {
  it.each(Object.entries(FORWARD))('%s is what finite differences say', (id, { by, given, out }) => {
    const { kernel, cases } = taskNamed(id);
    const large = (args: AnyArgs) => Object.values(args).some((one) => typeof one === 'object' && one.length > 10);
    const args: AnyArgs = cases.map(sizedArgs).find(large)!;
    const numbers: Record<string, number> = {};
    const arrays: Record<string, RealArray> = {};
    for (const [i, [name, value]] of Object.entries(args).entries()) {
      if (typeof value === 'number') numbers[name] = value;
      else if (typeof value === 'object') arrays[name] = made(value.length, i);
    }
    if (arrays.places) arrays.places = arrays.places.map((_, i) => (i * i) % numbers.entries!);
    // A forward operand that backward does not need has the shape of its gradient.
    for (const [gradient, operand] of Object.entries(by)) arrays[operand] ??= made(arrays[gradient]!.length, 9);
    anyKernel(kernel).twin({ ...numbers, ...arrays } as never);
    const loss = () => sum(out(arrays, numbers).map((one, i) => one * arrays[given]![i]!));
    for (const [gradient, operand] of Object.entries(by)) {
      const of = arrays[operand]!;
      for (let i = 0; i < of.length; i++) {
        const value = of[i]!;
        of[i] = value + STEP;
        const above = loss();
        of[i] = value - STEP;
        const slope = (above - loss()) / (2 * STEP);
        of[i] = value;
        expect(arrays[gradient]![i], `${gradient}[${i}]`).toBeCloseTo(slope, 6);
      }
    }
  });

  it('leave out none but those whose operand is the result itself, or that only add up', () => {
    const all = tracks.flatMap(({ tasks }) => tasks.map(({ id }) => id)).filter((id) => id.startsWith('grad-'));
    expect(all.filter((id) => !(id in FORWARD))).toEqual(['grad-softmax', 'grad-cross-entropy']);
  });

  it('of softmax and cross-entropy, from their own results', () => {
    const [rows, columns] = [2, 5];
    const x = made(rows * columns, 3);
    const gradOut = made(rows * columns, 4);
    const softmax = () =>
      perRow(x, { rows, columns }, (row) => row.map((one) => Math.exp(one) / sum(row.map(Math.exp))));
    const out = Float64Array.from(softmax());
    const labels = Int32Array.of(3, 0);
    const gradX = new Float64Array(rows * columns);
    const gradLogits = new Float64Array(rows * columns);
    anyKernel(taskNamed('grad-softmax').kernel).twin({ out, gradOut, gradX, rows, columns } as never);
    const gradLosses = made(rows, 5);
    anyKernel(taskNamed('grad-cross-entropy').kernel).twin({
      ...{ probabilities: out, labels, gradLosses, gradLogits, rows, columns },
    } as never);
    const losses = {
      gradX: () => sum(softmax().map((one, i) => one * gradOut[i]!)),
      gradLogits: () =>
        sum(Array.from(labels, (label, row) => -Math.log(softmax()[row * columns + label]!) * gradLosses[row]!)),
    };
    for (let i = 0; i < x.length; i++) {
      const slope = (loss: () => number) => {
        const value = x[i]!;
        x[i] = value + STEP;
        const above = loss();
        x[i] = value - STEP;
        const below = loss();
        x[i] = value;
        return (above - below) / (2 * STEP);
      };
      expect(gradX[i]).toBeCloseTo(slope(losses.gradX), 6);
      expect(gradLogits[i]).toBeCloseTo(slope(losses.gradLogits), 6);
    }
  });
});
