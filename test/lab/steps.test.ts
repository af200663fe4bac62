/** Kernels to step through: what is recorded is the shipped kernel at work, and it comes to what the twin comes to. */
import { describe, expect, it } from 'vitest';
import { CpuBackend, kernelNamed, runCase } from '../../src/kernels/index.js';
import {
  compareOutputs,
  STEPPED,
  type Step,
  type StepTrace,
  shippedVariant,
  steppedCase,
  steppedText,
  traceSteps,
  variantText,
} from '../../src/lab/index.js';

const named = STEPPED.map((of) => [of.name, of] as const);
const stepped = (name: string) => STEPPED.find((one) => one.name === name)!;
const last = ({ steps }: StepTrace): Step => steps.at(-1)!;

describe.each(named)('%s', (_, of) => {
  it('comes to what the twin comes to in float64', async () => {
    const { outputs } = await traceSteps(of);
    const expected = await runCase(new CpuBackend({ precision: 'f64', poison: true }), steppedCase(of));
    const { error, wrong, elements } = compareOutputs(outputs, expected);
    expect([wrong, elements > 0], `${error}`).toEqual([0, true]);
  });

  it('stores what it came to, in every workgroup', async () => {
    const { grid } = await traceSteps(of);
    const stored = new Map<number, number>();
    let outputs: StepTrace['outputs'] = [];
    for (let y = 0; y < grid[1]; y++) {
      for (let x = 0; x < grid[0]; x++) {
        const trace = await traceSteps(of, [x, y]);
        outputs = trace.outputs;
        for (const { kind, name, lanes } of trace.steps)
          if (kind === 'store' && name === 'out') for (const one of lanes) if (one) stored.set(one.at, one.values[0]!);
      }
    }
    const { values } = outputs.find(({ name }) => name === 'out')!;
    expect(Array.from(values, (_, at) => stored.get(at))).toEqual([...values]);
  });

  it('points at lines that do what the step says', async () => {
    const { steps, text } = await traceSteps(of);
    const lines = text.split('\n');
    const squeezed = (part: string) => part.replaceAll(/\s+/g, '');
    for (const { kind, lines: at, text: what } of steps) {
      const line = squeezed(lines[at.at(-1)! - 1]!);
      expect(line, `${kind} ${what}`).toContain(squeezed(what));
      // A caller's line has the call of the function in which the next one stands.
      for (const [i, caller] of at.slice(0, -1).entries()) {
        const callee = lines.slice(0, at[i + 1]).findLast((one) => one.startsWith('fn '))!;
        const name = /^fn (\w+)/.exec(callee)![1]!;
        expect(lines[caller - 1]).toContain(`${name}(`);
      }
    }
  });

  it('adds up from what was loaded', async () => {
    const { steps } = await traceSteps(of);
    const added = steps.filter(({ kind, lanes }) => kind === 'sum' && lanes.some((one) => one?.factors));
    expect(added.length).toBeGreaterThan(0);
    for (const { lanes, text } of added) {
      for (const one of lanes) {
        for (const [word, value] of (one?.values ?? []).entries()) {
          const [left, right] = one!.factors!.map((factor) => factor[factor.length === 1 ? 0 : word]!);
          expect(value, text).toBeCloseTo(one!.before![word]! + left! * right!, 5);
        }
      }
    }
  });

  it('differs from the shipped text in its sizes only', () => {
    const { text, smaller } = steppedText(of);
    const kernel = kernelNamed(of.kernel);
    const shipped = variantText(kernel, shippedVariant(kernel, of.variant)).trimEnd().split('\n');
    const differing = text.split('\n').flatMap((line, i) => (line === shipped[i] ? [] : [i + 1]));
    expect(differing).toEqual([...new Set(smaller)].sort((a, b) => a - b));
    const withoutNumbers = (lines: readonly string[]) => lines.map((line) => line.replaceAll(/\d+/g, '#'));
    expect(withoutNumbers(text.split('\n'))).toEqual(withoutNumbers(shipped));
  });

  it('has buffers and workgroup memory that hold all that is accessed', async () => {
    const { steps } = await traceSteps(of);
    for (const { kind, space, name, lanes } of steps) {
      if (space === 'lane' || kind === 'barrier') continue;
      const matrix = of.matrices.find(({ buffer }) => buffer === name);
      const memory = of.memories.find((one) => one.name === name);
      for (const one of lanes) {
        if (!one) continue;
        if (memory) expect(one.at).toBeLessThan(memory.rows * memory.columns);
        else {
          const from = one.at - matrix!.offset;
          expect(Math.floor(from / matrix!.stride)).toBeLessThan(matrix!.rows);
          expect(from % matrix!.stride).toBeLessThan(matrix!.columns);
        }
      }
    }
  });
});

describe('Counts of the matrix product', () => {
  it('shows what each rung saves', async () => {
    const perProduct = async (name: string) => {
      const { counts } = last(await traceSteps(stepped(name)));
      return counts.loads / counts.multiplyAdds;
    };
    // One of each operand; 8 + 4 for 8 x 4; each value of A and B once for a whole tile of 16 x 16.
    expect(await perProduct('matmul, naive')).toBe(2);
    expect(await perProduct('matmul, registers')).toBe(12 / 32);
    expect(await perProduct('matmul, tiled')).toBe(2 / 16);
  });

  it('has conflicts where the left operand is stored to its tile, and no others', async () => {
    const { steps } = await traceSteps(stepped('matmul, tiled'));
    const worst = (name: string) =>
      Math.max(...steps.filter((one) => one.kind === 'store' && one.name === name).map(({ cycles }) => cycles));
    // Lanes next to each other along k are a row of the tile apart: four of them on each of four banks.
    expect(worst('a_tile')).toBe(4);
    expect(worst('b_tile')).toBe(1);
  });

  it('goes through workgroup memory in slices, each between two barriers', async () => {
    const { steps } = await traceSteps(stepped('matmul, tiled'));
    const kinds = steps
      .filter(({ kind, space }) => kind === 'barrier' || space === 'workgroup')
      .map(({ kind }) => kind)
      .filter((kind, i, all) => kind !== all[i - 1]);
    expect(kinds).toEqual(['store', 'barrier', 'load', 'barrier', 'store', 'barrier', 'load', 'barrier']);
  });
});

it('refuses a workgroup that the grid has not', async () => {
  await expect(traceSteps(stepped('matmul, tiled'), [1, 0])).rejects.toThrow('workgroup 1, 0 of a grid of 1 x 1');
});
