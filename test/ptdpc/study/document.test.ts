/** Markdown, LaTeX and CSV of a study. */
import { describe, expect, test } from 'vitest';
import {
  leaderboardCsv,
  pairsCsv,
  studyDocument,
  studyLatex,
  studyMarkdown,
} from '../../../src/ptdpc/study/document.js';
import { leaderboard } from '../../../src/ptdpc/study/leaderboard.js';
import type { StudyResults } from '../../../src/ptdpc/study/results.js';
import { rights, seedOf, studyOf } from './support.js';

const onTest = { candidates: 10, accuracy: 0.75 };
const study = () =>
  studyOf(
    {
      'zero-shot': [seedOf(0, rights(200, 100), { train: 0 }), seedOf(1, rights(200, 100), { train: 0 })],
      coop: [seedOf(0, rights(200, 140), { onTest }), seedOf(1, rights(200, 140), { onTest })],
      worse: [seedOf(0, rights(200, 90)), null],
    },
    { shots: [2, null], labels: { d: 'Data', coop: 'CoOp, 4 words' } },
  );
const tableOf = (results: StudyResults, name: string) => {
  const found = studyDocument(results, leaderboard(results)).tables.find((table) => table.name === name);
  return found && [...found.rows.map((row) => row.map((cell) => cell.join('; ')).join(' | ')), ...found.notes];
};

describe('the tables', () => {
  test('have accuracies by shots, with the highest, what is level with it, and what is missing', () => {
    expect(tableOf(study(), 'accuracy-d')).toEqual([
      expect.stringMatching(/^CoOp, 4 words \| 70\.0ᵃ; \[\d\d\.\d, \d\d\.\d\] \| 70\.0ᵃ; /),
      expect.stringMatching(/^zero-shot \| 50\.0; /),
      expect.stringMatching(/^worse \| 45\.0; \[[^\]]+\]; 1 of 2 seeds \| /),
      'ᵃ Highest mean of its column.',
    ]);
  });

  test('have the points over zero-shot and those of a selection on the test images', () => {
    const [first, second, third] = tableOf(study(), 'ranking-d-2')!;
    expect(first).toMatch(
      /^CoOp, 4 words \| 1 \| 70\.0; .* \| \+20\.0; \[\+14\.\d, \+2[56]\.\d\]; p < 0\.001 \| .* \| \+5\.0$/,
    );
    expect(second).toMatch(/^zero-shot \| 2 \| 50\.0; [^|]* \| {2}\| /);
    // Ten images of one seed: McNemar's 2 / 2^10, the largest of three p-values.
    expect(third).toMatch(/^worse \| 3 \| .* \| −5\.0; .*; p = 0\.002 \| /);
    expect(tableOf(study(), 'selected-on-test-d')).toEqual([
      'CoOp, 4 words | +5.0; best of 10 | +5.0; best of 10',
      'zero-shot |  | ',
      'worse |  | ',
    ]);
  });

  test('have every two learners, and say in words what the tests found', () => {
    const results = study();
    expect(tableOf(results, 'pairs-d-all')).toEqual([
      '1 CoOp, 4 words |  | +20.0 | +25.0',
      '2 zero-shot | −20.0 |  | +5.0',
      '3 worse | −25.0 | −5.0 | ',
    ]);
    expect(studyMarkdown(results, leaderboard(results))).toContain(
      'Of 3 pairs, 3 are told apart. Highest: CoOp, 4 words; not told apart from it: none. Ahead of zero-shot: CoOp, 4 words; behind it: worse.',
    );
    const level = studyOf({ a: [seedOf(0, '110')], b: [seedOf(0, '100')] });
    expect(tableOf(level, 'pairs-d-1')).toEqual(['1 a |  | (+33.3)', '2 b | (−33.3) | ']);
    expect(tableOf(level, 'accuracy-d')).toContain('ᵇ Not told apart from the highest by the paired tests.');
  });

  test('have the cost with the most images', () => {
    expect(tableOf(study(), 'cost-d')?.[0]).toBe('CoOp, 4 words | 512 | 2 | 3 | 1.0 | 70.0');
  });

  test('have the distribution measures where images have votes', () => {
    const scores = {
      ...{ kullbackLeibler: 0.25, chebyshev: 0.1, clark: 1.5, canberra: 3 },
      ...{ squaredChord: 0.125, sorensen: 0.2, cosine: 0.9, intersection: 0.8 },
    };
    const results = studyOf({ a: [seedOf(0, '10', { distribution: scores })], b: [seedOf(0, '10')] });
    expect(tableOf(results, 'distribution-d-1')).toEqual([
      'a | 0.250 | 0.100 | 1.500 | 3.000 | 0.125 | 0.200 | 0.900 | 0.800',
    ]);
    expect(tableOf(study(), 'distribution-d-2')).toBeUndefined();
  });
});

describe('warnings', () => {
  const warnings = (results: StudyResults) =>
    studyDocument(results, leaderboard(results)).warnings.map((one) => one.split(':')[0]);

  test('say what is missing, drawn, or cannot be compared', () => {
    const coop = [seedOf(0, '10'), seedOf(1, '10', { imagesSha256: 'cd' })];
    expect(warnings(study())).toEqual(['Not finished']);
    expect(warnings(studyOf({ coop }, { demonstration: true }))).toEqual([
      'A demonstration',
      'No zero-shot',
      'Other test images with every seed',
    ]);
    expect(warnings(studyOf({ coop, other: [seedOf(0, '1')] }))).toEqual(['No zero-shot', 'Not compared']);
    expect(warnings(studyOf({ coop: [seedOf(0, '10')] }))).toEqual(['One seed', 'No zero-shot']);
  });
});

describe('the formats', () => {
  const hostile = () => {
    const results = study();
    const label = '=1+1 | **b** & \\input{x} %\n<script>';
    return {
      ...results,
      title: 'A\n\\end{x}',
      rows: results.rows.map((row) => ({ ...row, label, options: { tokens: 4 } })),
    };
  };

  test('escape what users name', () => {
    const results = hostile();
    const board = leaderboard(results);
    const markdown = studyMarkdown(results, board);
    expect(markdown).not.toMatch(/[^\\]<script>|\n<script>|[^\\]\*\*b/);
    expect(markdown).toContain('Options: tokens 4');
    const latex = studyLatex(results, board);
    expect(latex).not.toContain('\\input');
    expect(latex.split('\n')[0]).toBe('% A \\end{x}. Needs \\usepackage{booktabs,makecell}.');
    expect(latex).toContain('\\label{tab:study-selected-on-test-d}');
    expect(latex).not.toContain('every two learners');
  });

  test('CSV has all numbers in full, and no formulas', () => {
    const results = study();
    const board = leaderboard(results);
    const lines = leaderboardCsv(results, board).split('\n');
    expect(lines[0]).toMatch(/^dataset,shots,rank,row,label,learner,seeds,missing,accuracy,/);
    expect(lines).toHaveLength(1 + 6 + 1);
    expect(lines[1]).toMatch(/^d,2,1,coop,"CoOp, 4 words",coop,2,0,0\.7,0,0\.63/);
    expect(lines[6]).toMatch(/^d,all,3,worse,worse,coop,1,1,0\.45,,0\.3/);
    expect(lines[6]).toContain(',-0.05,-0.08,');
    const pairs = pairsCsv(board).split('\n');
    expect(pairs).toHaveLength(1 + 6 + 1);
    expect(pairs[1]).toMatch(/^d,2,coop,zero-shot,2,0\.2,0\.14\d*,0\.2\d*,40,0,/);
    const named = hostile();
    expect(leaderboardCsv(named, leaderboard(named))).toContain(`"'=1+1 | `);
  });
});
