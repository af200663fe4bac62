/** The text of a progress bar: rate and time left count only what took work. */
import { expect, test, vi } from 'vitest';
import { Bar } from '../../src/cli/bar.js';
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
  expect(progressLine({ ...state, label: 'a\u009b2J' })).toMatch(/^a\\u009b2J /);
});

test('a bar is drawn at once, then ten times a second, within its line, and taken away once', () => {
  vi.useFakeTimers();
  try {
    const written: string[] = [];
    let done = 0;
    const bar = new Bar({ columns: 9, write: (text) => written.push(text) }, () => `${done} of 1000 images`);
    for (done = 1; done < 500; done++) bar.update();
    expect(written).toEqual(['\r0 of 100\u001b[K']);
    vi.advanceTimersByTime(101);
    expect(written.slice(1)).toEqual(['\r500 of 1\u001b[K']);
    vi.advanceTimersByTime(1000);
    expect(written).toHaveLength(2);
    bar.update();
    bar.update();
    bar.stop();
    bar.stop();
    bar.update();
    vi.advanceTimersByTime(1000);
    expect(written.slice(2)).toEqual(['\r500 of 1\u001b[K', '\r\u001b[K']);
  } finally {
    vi.useRealTimers();
  }
});

test('nothing to do is done', () => {
  expect(progressLine({ ...state, value: 0, total: 0 })).toBe(`encoding ${'█'.repeat(20)} 0/0`);
});
