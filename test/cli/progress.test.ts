/** The text of a progress bar: rate and time left count only what took work. */
import { expect, test } from 'vitest';
import { type BarState, progressLine } from '../../src/cli/progress.js';

const state: BarState = { label: 'encoding', unit: 'images', note: '', value: 60, total: 100, skipped: 0, seconds: 5 };

test('rate and time left', () => {
  expect(progressLine(state)).toBe(`encoding ${'█'.repeat(12)}${'░'.repeat(8)} 60/100, 12 images/s, 0:03 left`);
});

test('cached images advance the bar but not the rate', () => {
  expect(progressLine({ ...state, skipped: 50 })).toMatch(/ 60\/100, 2\.0 images\/s, 0:20 left$/);
  expect(progressLine({ ...state, skipped: 60 })).toMatch(/ 60\/100$/);
});

test('a note cannot steer the terminal', () => {
  expect(progressLine({ ...state, note: 'a\u001b[2Jb' })).toMatch(/, a\\u001b\[2Jb$/);
});

test('nothing to do is done', () => {
  expect(progressLine({ ...state, value: 0, total: 0 })).toBe(`encoding ${'█'.repeat(20)} 0/0`);
});
