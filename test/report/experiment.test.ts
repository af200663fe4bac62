import { expect, it } from 'vitest';
import type { ExperimentResults } from '../../src/ptdpc/experiment/index.js';
import { experimentReport } from '../../src/report/index.js';
import { HOSTILE, sampleResults } from './experiment-support.js';

const pageOf = (experiment: ExperimentResults['experiment']) =>
  experimentReport({ name: HOSTILE, results: [sampleResults(experiment)], pictures: new Map() });

it('has our accuracy beside the paper, every seed, and what is missing', () => {
  const page = pageOf('table1');
  expect(page).toContain('paper 93.89 (−21.39)');
  expect(page).toContain('paper 56.47');
  expect(page).toContain('PT-DPC: mean 72.50 of 2 seeds, paper 93.89.');
  expect(page).toContain('70.00, 75.00');
  expect(page).toContain('Not finished: 2 of 3 tasks have a result');
  // A dot for each seed; a mark for each bin of both seeds together.
  expect(page.match(/<svg/g)).toHaveLength(2);
  expect(page.match(/<circle/g)).toHaveLength(2 + 2);
  expect(page).not.toMatch(/NaN|undefined/);
});

it.each(['table2', 'figure4', 'figure5'] as const)('%s says what was left out, and lists it', (experiment) => {
  const page = pageOf(experiment);
  const setting = HOSTILE.replace('<', '&lt;').replace('>', '&gt;');
  expect(page).toContain(`Images left out because they could not be read: ${setting} 2 of 22 test images.`);
  expect(page).toContain(`left out of ${setting}</th><td><code>${setting}</code>: ${setting}<br>`);
  expect(page.includes('in mode both, the prompts of all classes start equal')).toBe(experiment === 'table2');
  expect(page).toContain('order of images');
});

it('has a reliability diagram of all seeds together', () => {
  const page = pageOf('table1');
  // Bins of 20 images: |0.625 - 0.6| and |0.825 - 0.9|, half of the images each.
  expect(page).toContain('PT-DPC: expected calibration error 5.0\u00a0%.');
  expect(page).toContain('<td>20</td><td>60.00</td><td>62.50</td>');
});

it('draws the confusion matrices of figure4 and lists the pictures of figure5', () => {
  const figure4 = pageOf('figure4');
  expect(figure4.match(/<svg/g)).toHaveLength(2);
  expect(figure4).toContain('28 of 40 images on the diagonal');
  const figure5 = pageOf('figure5');
  expect(figure5).toContain('✗ positive 90.0\u00a0%');
  expect(figure5).toContain('ground truth: negative 10.0\u00a0%');
});

it('shows what data brings along as words', () => {
  for (const experiment of ['table1', 'figure4', 'figure5'] as const) {
    expect(pageOf(experiment).replace(/"[^"]*"/g, '""')).not.toMatch(/<img/);
  }
});

it('draws names that every object has, and leaves the objects as they are', () => {
  const results = sampleResults('table1');
  const names = ['__proto__', 'constructor', 'a long name that has toString and __proto__ near to where it is cut off'];
  const variants = names.map((label, i) => ({ ...results.variants[0]!, name: `v${i}`, label }));
  const cells = variants.flatMap(({ name }) => results.cells.slice(0, 1).map((cell) => ({ ...cell, variant: name })));
  const page = experimentReport({ name: 'odd', results: [{ ...results, variants, cells }], pictures: new Map() });
  const { prev, next } = {} as Record<string, unknown>;
  expect([prev, next, Reflect.has(Object, 'prev')]).toEqual([undefined, undefined, false]);
  expect(page).toMatch(/<text[^>]*>__proto__<\/text>/);
});
