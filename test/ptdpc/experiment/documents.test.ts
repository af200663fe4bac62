/** Markdown and LaTeX of results. */
import { describe, expect, test } from 'vitest';
import {
  collectExperiment,
  EXPERIMENTS,
  type ExperimentName,
  experiment,
  latexReport,
  markdownReport,
  type Plan,
  tableRows,
} from '../../../src/ptdpc/experiment/index.js';
import { somePlan, someResults } from './support.js';

const collect = (name: ExperimentName, plan: Plan = somePlan(), without?: RegExp) =>
  collectExperiment(plan, experiment(name, 'paper'), someResults(plan, without));

test('a cell shows mean and deviation, the interval, the figure of the paper and the difference', () => {
  const results = collect('table2');
  const [cell] = results.cells;
  const { mean, std, interval } = cell!.accuracy!;
  const [row] = tableRows(results);
  const p = (share: number) => (100 * share).toFixed(2);
  const sign = cell!.difference! > 0 ? '+' : '−';
  expect(row?.cells[0]).toEqual({
    ours: `${p(mean)} ± ${p(std!)}`,
    interval: `[${p(interval![0])}, ${p(interval![1])}]`,
    paper: '77.30',
    difference: `${sign}${p(Math.abs(cell!.difference!))}`,
  });
});

describe('Markdown', () => {
  test.each(EXPERIMENTS)('%s: every table has as many cells in each row as in its head', (name) => {
    const text = markdownReport(collect(name));
    const tables = text.split('\n\n').filter((part) => part.startsWith('|'));
    expect(tables.length).toBeGreaterThan(0);
    for (const table of tables) {
      const widths = table
        .trim()
        .split('\n')
        .map((line) => line.replaceAll('\\|', '').split('|').length);
      expect(new Set(widths).size, table).toBe(1);
    }
    expect(text.endsWith('\n')).toBe(true);
    expect(text).not.toMatch(/undefined|NaN|null|A demonstration/);
  });

  test("says what replaces the preset's options", () => {
    expect(markdownReport(collect('table2'))).toContain('Preset `paper`, 2 seeds');
    const changed = somePlan({}, { epochs: 3, batchSize: 8, initNoise: 0.3 });
    expect(markdownReport(collect('table2', changed))).toContain(
      'Preset `paper` with 3 epochs, batches of 8, noise of 0.3 on the start, 2 seeds',
    );
  });

  test('an interval that no accuracy can fill is explained, where there is one', () => {
    const results = collect('table2');
    const within = {
      ...results,
      cells: results.cells.map((cell) => ({
        ...cell,
        accuracy: { ...cell.accuracy!, interval: [0.5, 0.9] as [number, number] },
      })),
    };
    expect(markdownReport(within)).not.toMatch(/Student's t/);
    const beyond = {
      ...within,
      cells: within.cells.with(2, {
        ...within.cells[2]!,
        accuracy: { ...within.cells[2]!.accuracy, interval: [0.8, 1.02] },
      }),
    };
    expect(markdownReport(beyond)).toMatch(/An interval that passes 0 or 100 is Student's t on too few seeds\./);
  });

  test('says what is missing, and that a demonstration is one', () => {
    expect(markdownReport(collect('table2', somePlan(), /seed1/))).toMatch(/\*\*Not finished\*\*: 8 of the tasks/);
    expect(markdownReport(collect('table2', somePlan(), /./))).toMatch(/\*\*Not finished\*\*: 16 of the tasks/);
    const scenes = [{ name: 'scenes8', label: 'Scenes 8', dataset: 'fi8', root: '/scenes' }];
    const text = markdownReport(collect('table2', somePlan({ settings: scenes }, { demonstration: true })));
    expect(text).toMatch(/\*\*A demonstration\*\*/);
    expect(text).not.toMatch(/paper \d/);
  });
});

describe('LaTeX', () => {
  test.each(EXPERIMENTS)('%s: columns agree, braces balance, nothing special is bare', (name) => {
    const text = latexReport(collect(name));
    for (const [, columns = '', body = ''] of text.matchAll(/\\begin\{tabular\}\{(l?c+)\}(.*?)\\end\{tabular\}/gs)) {
      const rows = body.split('\n').filter((line) => line.includes(' & '));
      expect(rows.length).toBeGreaterThan(1);
      for (const row of rows) expect(row.match(/(?<!\\)&/g)?.length, row).toBe(columns.length - 1);
    }
    const bare = text.replaceAll(/^%.*$/gm, '');
    expect(bare.match(/(?<!\\)\{/g)?.length).toBe(bare.match(/(?<!\\)\}/g)?.length);
    expect(bare).not.toMatch(/(?<!\\)[%#_]|[±−]/);
    expect(text).not.toMatch(/undefined|NaN|null/);
  });

  test('class words with special characters are escaped', () => {
    expect(latexReport(collect('figure4'))).toContain('neither\\_of|them');
  });
});
