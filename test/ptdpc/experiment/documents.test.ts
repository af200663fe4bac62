/** Markdown and LaTeX of results. */
import { describe, expect, test } from 'vitest';
import { escapeLatex, escapeMarkdown } from '../../../src/ptdpc/experiment/document.js';
import {
  accuracyInterval,
  collectExperiment,
  EXPERIMENTS,
  type ExperimentName,
  type ExperimentResults,
  experiment,
  latexReport,
  markdownReport,
  type Plan,
  planTasks,
  resultTables,
  type SeedImages,
  summarize,
  type TaskResult,
} from '../../../src/ptdpc/experiment/index.js';
import { CLASSES, somePlan, someResult, someResults } from './support.js';

const collect = (name: ExperimentName, plan: Plan = somePlan(), without?: RegExp) =>
  collectExperiment(plan, experiment(name, 'paper'), someResults(plan, without));

/** The results of table `name` on FI 8, with what the tasks say of their images. */
function collectOf(
  name: ExperimentName,
  images: (seed: number) => Partial<SeedImages>,
  skipped: TaskResult['skipped'] = [],
  change: Partial<Plan> = {},
  configuration: Partial<Plan['configuration']> = {},
) {
  const base = somePlan(change, configuration);
  const plan = { ...base, settings: base.settings.slice(0, 1) };
  const tasks = planTasks(plan).map(
    (task) => [task.name, someResult(task, images(task.seed), skipped).result] as const,
  );
  return collectExperiment(plan, experiment(name, 'paper'), new Map(tasks));
}

const documents = { Markdown: markdownReport, LaTeX: latexReport };

const cellsOf = (results: ExperimentResults, heading: string) => {
  const [{ rows, foot }] = resultTables(results) as [ReturnType<typeof resultTables>[0]];
  return [...rows, ...foot].find(([first]) => first?.join() === heading)?.slice(1);
};

describe('a cell', () => {
  test('shows mean and deviation, the interval, the figure of the paper and the difference', () => {
    const results = collect('table2');
    const [cell] = results.cells;
    const { mean, std } = cell!.accuracy!;
    const p = (share: number) => (100 * share).toFixed(2);
    const sign = cell!.difference! > 0 ? '+' : '−';
    const [low, high] = accuracyInterval(
      cell!.seeds.map(({ accuracy }) => accuracy),
      20,
    );
    expect(cellsOf(results, 'neither')?.[0]).toEqual([
      `${p(mean)} ± ${p(std!)}`,
      `[${p(low)}, ${p(high)}]`,
      `paper 77.30 (${sign}${p(Math.abs(cell!.difference!))})`,
    ]);
  });

  test('of what no seed changes has neither spread nor an interval of no width', () => {
    const results = collectOf('table1', () => ({}));
    const [zeroShot] = results.cells;
    const same = { ...zeroShot!.seeds[0]!, seed: 1 };
    const seeds = [zeroShot!.seeds[0]!, same];
    const given = { ...zeroShot!, seeds, accuracy: summarize(seeds.map(({ accuracy }) => accuracy)) };
    const [first, second, ...rest] = cellsOf(
      { ...results, cells: [given, ...results.cells.slice(1)] },
      'CLIP, zero-shot',
    )![0]!;
    expect(zeroShot?.varies).toEqual([]);
    expect(first).toBe(`${(100 * same.accuracy).toFixed(2)}ᵃ`);
    expect(second).toMatch(/^\[\d+\.\d\d, \d+\.\d\d\]$/);
    expect(rest).toEqual([]);
    expect(markdownReport(results)).toContain('ᵃ In this row the seeds change nothing, so that all give one value.');
  });
});

describe('what seeds change', () => {
  const effects = (name: ExperimentName, origin: SeedImages['origin'], initNoise = 0, val: number | null = 10) =>
    collectOf(name, () => ({ origin, val }), [], {}, { initNoise }).cells.map(({ varies }) => varies?.join());
  const fold = { fold: 1, folds: 5 };

  test('order, start, split or fold, by row', () => {
    expect(effects('table1', { kind: 'published' })).toEqual(['', 'order']);
    expect(effects('table1', { kind: 'seeded', seed: 0 }, 0.3)).toEqual(['split', 'order,start,split']);
    expect(effects('table1', { kind: 'given-fold', ...fold })).toEqual(['fold', 'order,fold']);
    expect(effects('table4', { kind: 'given' })).toEqual(['order,start', 'order,start', 'order']);
  });

  test('is said under every column, with where the split is from and how many images there are', () => {
    const facts = (origin: (seed: number) => SeedImages['origin'], train = (_: number) => 80) => {
      const results = collectOf('table2', (seed) => ({ origin: origin(seed), train: train(seed), val: null }));
      return ['split', 'train / val / test images', 'the seeds change'].map((row) =>
        cellsOf(results, row)?.[0]?.join(': '),
      );
    };
    expect(facts(() => ({ kind: 'published' }))).toEqual(['as published', '80 / – / 20', '2 seeds: order of images']);
    expect(facts(() => ({ kind: 'given' }))[0]).toBe('as given');
    expect(
      facts(
        (seed) => ({ kind: 'seeded', seed }),
        (seed) => 80 + seed,
      ),
    ).toEqual(['drawn by each seed', '80–81 / – / 20', '2 seeds: order of images, split']);
    const folds = facts((seed) => ({ kind: 'given-fold', fold: seed + 1, folds: 5 }));
    expect(folds).toEqual(['2 of 5 folds, as given', '80 / – / 20', '2 seeds: order of images, fold']);
    expect(facts((seed) => ({ kind: 'seeded-fold', seed: 0, fold: seed + 1, folds: 5 }))[0]).toBe(
      '2 of 5 folds, drawn once',
    );
    for (const write of Object.values(documents)) expect(write(collect('table2'))).toContain('order of images');
  });

  test('images of several folds count together, those that seeds share once', () => {
    const interval = (origin: (seed: number) => SeedImages['origin']) => {
      const [cell] = collectOf('table2', (seed) => ({ origin: origin(seed) })).cells;
      return { cell: cell!, values: cell!.seeds.map(({ accuracy }) => accuracy) };
    };
    const shared = interval(() => ({ kind: 'given' }));
    expect(shared.cell.accuracyInterval).toEqual(accuracyInterval(shared.values, 20));
    const folds = interval((seed) => ({ kind: 'given-fold', fold: seed + 1, folds: 5 }));
    expect(folds.cell.accuracyInterval).toEqual(accuracyInterval(folds.values, 40));
  });
});

describe('images that could not be read', () => {
  const files: TaskResult['skipped'] = [
    { split: 'test', path: 'test/awe/b.jpg', reason: 'not an image' },
    { split: 'train', path: 'train/awe/a.jpg', reason: 'cut short' },
  ];
  const some = (name: ExperimentName) => collectOf(name, () => ({ skipped: { train: 2, val: 0, test: 4 } }), files);

  test.each(EXPERIMENTS)('%s says how many, in every form, and lists them', (name) => {
    const results = some(name);
    expect(results.settings[0]?.skipped).toEqual(files.map(({ path, reason }) => ({ path, reason })));
    for (const [form, write] of Object.entries(documents)) {
      expect(write(results), form).toMatch(
        /Images left out because they could not be read.*FI 8 2 of 82 training images and 4 of 24 test images/,
      );
    }
  });

  test('mark the column, beside whose figures those of the paper stand', () => {
    const [{ head, notes }] = resultTables(some('table2')) as [ReturnType<typeof resultTables>[0]];
    expect(head[1]).toBe('FI 8ᵃ');
    expect(notes[0]).toBe(
      "ᵃ 2 of 82 training images and 4 of 24 test images could not be read and are left out of our figures; the paper's figures are of all images.",
    );
    expect(latexReport(some('table2'))).toContain('FI 8\\textsuperscript{a}');
    expect(markdownReport(collect('table2'))).not.toContain('could not be read');
  });

  test('differ from seed to seed where the split does', () => {
    const results = collectOf('table2', (seed) => ({ skipped: { train: 0, val: 0, test: seed } }), files);
    expect(markdownReport(results)).toContain('FI 8 up to 1 of 21 test images.');
  });
});

describe('images that were read though their files are cut short', () => {
  test.each(EXPERIMENTS)('%s says how many, in every form', (name) => {
    const results = collectOf(name, () => ({ truncated: { train: 3, val: 0, test: 0 } }), []);
    for (const [form, write] of Object.entries(documents)) {
      expect(write(results), form).toMatch(
        /Images read though their files are cut short .*: FI 8 3 of 80 training images/,
      );
    }
    expect(markdownReport(collect(name))).not.toContain('cut short');
  });
});

describe('test images that are training images too', () => {
  test.each(EXPERIMENTS)('%s says how many, in every form', (name) => {
    const results = collectOf(name, () => ({ seen: 5 }), []);
    for (const [form, write] of Object.entries(documents)) {
      expect(write(results), form).toMatch(/Test images that are training images too, .*: FI 8 5 images/);
    }
    expect(markdownReport(collect(name))).not.toContain('training images too');
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

  test('says that a demonstration is one', () => {
    const scenes = [{ name: 'scenes8', label: 'Scenes 8', dataset: 'fi8', root: '/scenes', folds: null }];
    const text = markdownReport(collect('table2', somePlan({ settings: scenes }, { demonstration: true })));
    expect(text).toMatch(/\*\*A demonstration\*\*/);
    expect(text).not.toMatch(/paper \d/);
  });
});

describe.each(Object.entries(documents))('%s', (_, write) => {
  test('says preset, epochs, batches and model, and what is not as the preset has it', () => {
    const text = write(collect('table2'));
    expect(text).toMatch(/Preset paper, 10 epochs, batches of 64, 2 seeds, model clip \(SHA-256 abc/);
    const changed = write(collect('table2', somePlan({}, { epochs: 3, batchSize: 8, initNoise: 0.3 })));
    expect(changed).toContain(
      'Preset paper, 3 epochs (its own: 10), batches of 8 (its own: 64), noise of 0.3 on the start',
    );
  });

  test('an unfinished table says how far it is, and each of its cells of how many seeds it is', () => {
    const some = write(collect('table2', somePlan(), /seed1/));
    expect(some).toMatch(/Not finished.*: 8 of 16 tasks have a result/);
    expect(some.match(/1 of 2 seeds/g)!.length).toBeGreaterThanOrEqual(8);
    const none = write(collect('table2', somePlan(), /./));
    expect(none).toMatch(/Not finished.*: 0 of 16 tasks have a result/);
    expect(none.match(/0 of 2 seeds/g)!.length).toBeGreaterThanOrEqual(8);
    expect(write(collect('table2'))).not.toMatch(/Not finished|of 2 seeds/);
    expect(write(collect('figure4', somePlan(), /seed1/))).toMatch(/summed over 1 of 2 seeds/);
  });

  test('Table 2 says that equal prompts stay equal, unless there is noise on the start', () => {
    expect(write(collect('table2'))).toMatch(
      /Caution.*: in mode both, the prompts of all classes start equal and stay equal/,
    );
    expect(write(collect('table2', somePlan({}, { initNoise: 0.1 })))).not.toContain('Caution');
    expect(write(collect('table3'))).not.toContain('Caution');
  });

  test("Table 3 says whose deviation is of what, and notes the paper's misprint at its cell", () => {
    const twitter2 = { name: 'twitter2', label: 'Twitter II', dataset: 'twitter2', root: '/data/t', folds: null };
    const text = write(collect('table3', somePlan({ settings: [...somePlan().settings, twitter2] })));
    expect(text).toMatch(
      /Ours: the sample standard deviation of the templates' means over the seeds\. The paper's: that of the one figure/,
    );
    expect(text).toMatch(/paper 0\.05(ᵇ|\\textsuperscript\{b\})/);
    expect(text).toContain("Printed as 0.0005; the sample standard deviation of the paper's three figures is 0.0084.");
    // The other columns agree with the paper's own figures.
    expect(text).toMatch(/paper 0\.10( |<br>|\}|\n)/);
    expect(write(collect('table3'))).not.toContain('Printed as');
  });

  test('does not say of how many runs the figures of the paper are', () => {
    const text = write(collect('table1'));
    expect(text).toContain('which does not say of how many runs it is');
    expect(text).not.toMatch(/one run/);
  });

  test('marks macro-F1 and calibration where a class has no test images', () => {
    const results = collect('table2');
    expect(write(results)).not.toContain('no test images');
    const [cell, ...cells] = results.cells;
    const without = cell!.seeds.map(({ confusionPairs: { classes, pairs }, ...seed }) => ({
      ...seed,
      confusionPairs: { classes, pairs: pairs.filter(([actual]) => actual !== 1) },
    }));
    const text = write({ ...results, cells: [{ ...cell!, seeds: without }, ...cells] });
    expect(text).toContain(`FI 8: no test images of ${CLASSES[1]}.`);
    const mark = /(ᵃ|\\textsuperscript\{a\})/.source;
    const p = (share: number) => (100 * share).toFixed(2);
    expect(text).toMatch(new RegExp(`${p(cell!.macroF1!.mean)}${mark} [|&] ${p(cell!.calibrationError!.mean)}${mark}`));
  });
});

test('lists the mistakes of very many classes instead of a matrix', () => {
  const results = collect('figure4');
  const classes = Array.from({ length: 101 }, (_, c) => `kind ${c}`);
  const pairs = classes.map((_, c): [number, number, number] => [c, (c + 1) % 101, c + 1]);
  const cells = results.cells.map((cell) => ({ ...cell, confusionPairs: { classes: 101, pairs } }));
  const [table] = resultTables({ ...results, cells, settings: results.settings.map((one) => ({ ...one, classes })) });
  expect(table!.head).toEqual(['true', 'predicted', 'images']);
  expect(table!.rows).toHaveLength(20);
  expect(table!.rows[0]).toEqual([['kind 100'], ['kind 0'], ['101 (100.00)']]);
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

  test('what LaTeX would read as something else is escaped', () => {
    expect(escapeLatex('50 % of a_b & {c} ~ ^ # $ \\ --x ± − – “q” … ᵃᵇ')).toBe(
      '50 \\% of a\\_b \\& \\{c\\} \\textasciitilde{} \\textasciicircum{} \\# \\$ \\textbackslash{} -{}-x $\\pm$ $-$ -- ' +
        "``q'' \\dots{} \\textsuperscript{a}\\textsuperscript{b}",
    );
  });

  test('what Markdown, or the templates of a site made from it, would read as something else is escaped', () => {
    expect(escapeMarkdown('a|b *c* `d` <e> [f](g) [1, 2] h\\|i {{ 1 + 1 }} two\nlines\u2028x')).toBe(
      'a\\|b \\*c\\* \\`d\\` \\<e> [f\\](g) [1, 2] h\\\\\\|i {<!-- -->{ 1 + 1 }} two lines x',
    );
    expect(escapeLatex('two\nlines')).toBe('two lines');
  });

  test('a row that begins with a bracket is no argument of the line break before it', () => {
    const results = collect('table2');
    const [first] = results.variants;
    first!.label = '[x]';
    expect(latexReport(results)).toContain('\n{}[x] &');
    first!.label = '*x';
    expect(latexReport(results)).toContain('\n{}*x &');
  });

  test('class words with special characters are escaped', () => {
    expect(latexReport(collect('figure4'))).toContain('neither\\_of|them');
  });
});
