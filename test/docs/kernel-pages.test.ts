/** The pages of docs/kernels say what the sources, the recorded jobs and the measurements say: `npm run pages` has nothing to do. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { chartsOf, fillPage } from '../../scripts/kernel-pages/blocks.js';
import { pagesOf, sourcesOf } from '../../scripts/kernel-pages/pages.js';
import { kernels } from '../../src/kernels/index.js';

const root = new URL('../..', import.meta.url).pathname;
const sources = await sourcesOf(root);
const pages = pagesOf(root).map((file) => readFileSync(`${root}${file}`, 'utf8'));

describe('docs/kernels', () => {
  it.each(pagesOf(root))('%s is up to date', (file) => {
    const page = readFileSync(`${root}${file}`, 'utf8');
    expect(fillPage(page, sources)).toBe(page);
    for (const [path, chart] of chartsOf(page, sources))
      expect(readFileSync(`${root}docs/${path}`, 'utf8')).toBe(chart);
  });

  it('each ladder has a chart, whose bars are as its figures', () => {
    const page = readFileSync(`${root}docs/kernels/ladder-matmul.md`, 'utf8');
    const chart = chartsOf(page, sources).get('images/ladders/matmul.svg')!;
    const widths = [...chart.matchAll(/<rect x="190" y="\d+" width="([\d.]+)"/g)].map(([, width]) => Number(width));
    const [first = 0, ...others] = page
      .match(/<!-- begin ladder: matmul: (.*) -->/)![1]!
      .split(', ')
      .map((rung) => {
        const { times } = sources.figures.ladders.results.matmul!;
        return times.find(({ name }) => name === rung)!.milliseconds;
      });
    expect(widths).toHaveLength(others.length + 1);
    others.forEach((time, i) => {
      expect(widths[i + 1]! / widths[0]!).toBeCloseTo(first / time, 1);
    });
  });

  it.each(Object.keys(kernels))('%s has its place on one page, and in the index', (kernel) => {
    const holding = pages.filter((page) => page.includes(`\n## ${kernel}\n`));
    expect(holding).toHaveLength(1);
    const [, section = ''] = holding[0]!.split(`\n## ${kernel}\n`);
    const own = section.split('\n## ')[0]!;
    for (const block of ['layout', 'cost', 'figures']) expect(own).toContain(`<!-- begin ${block}: ${kernel} -->`);
    expect(own).toContain('<!-- begin code: src/kernels/families/');
    expect(own).toContain('**Design.**');
    expect(readFileSync(`${root}docs/kernels/README.md`, 'utf8')).toContain(`\`${kernel}\``);
  });

  it('a block that is out of date shows', () => {
    const page = '<!-- begin code: shaders/affine.wgsl: struct Params: } -->\nlength: i32\n<!-- end -->\n';
    expect(fillPage(page, sources)).toBe(
      page
        .replace('length: i32', sources.source('shaders/affine.wgsl').match(/struct Params \{[^}]*\}/)![0])
        .replace('-->\n', '-->\n```wgsl\n')
        .replace('\n<!-- end', '\n```\n<!-- end'),
    );
  });

  it.each([
    ['nothing: matmul', 'no block is called nothing'],
    ['ladder: matmul: marble', 'matmul: no rung marble was measured'],
    ['code: shaders/affine.wgsl: struct Params: endfn', 'no lines from "struct Params" to "endfn"'],
  ])('refuses %s', (marker, message) => {
    expect(() => fillPage(`<!-- begin ${marker} -->\n<!-- end -->`, sources)).toThrow(message);
  });
});
