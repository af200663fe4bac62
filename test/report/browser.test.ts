import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  absentPrompts,
  certificatePage,
  comparisonReport,
  experimentReport,
  promptsSection,
  runReport,
  studyReport,
} from '../../src/report/index.js';
import { describeInBrowser } from '../support/browser.js';
import { sampleCertificate } from './certificate-support.js';
import { sampleResults } from './experiment-support.js';
import { sampleStudy } from './study-support.js';
import { comparedRun, HOSTILE_WORDS, samplePrompts, sampleRun } from './support.js';

const AXE = createRequire(import.meta.url).resolve('axe-core');
const LONG = ['contentment', 'a'.repeat(80), ...Array.from({ length: 24 }, (_, c) => `class number ${c}`)];

describeInBrowser('a report in Chromium', (browser) => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ptdpc-report-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const hostile = () =>
    runReport(sampleRun(HOSTILE_WORDS), [
      promptsSection(samplePrompts(HOSTILE_WORDS)),
      absentPrompts(HOSTILE_WORDS[0]!),
    ]);
  const many = () => runReport(sampleRun(LONG, 20), [promptsSection(samplePrompts(LONG))]);
  const two = () => runReport(sampleRun(['negative', 'positive']), []);
  const table = () => experimentReport({ name: 'all', results: [sampleResults('table1')], pictures: new Map() });
  const certificate = () => certificatePage(sampleCertificate(HOSTILE_WORDS[0]!));
  const worth = () => runReport(comparedRun(LONG, 10, 30));
  const several = () =>
    comparisonReport(
      HOSTILE_WORDS.map((name, i) => comparedRun(LONG, 5, 10 + 3 * i, name)),
      '0',
    );
  const few = () => studyReport(sampleStudy());
  const study = () => studyReport(sampleStudy(14, LONG[1], [...HOSTILE_WORDS, ...LONG]));
  const cases = [
    ['a study', 390, 'light', few],
    ['a study', 1280, 'dark', few],
    ['a study of many learners', 390, 'dark', study],
    ['a study of many learners', 1280, 'light', study],
    ['zero-shot and tuned', 390, 'dark', worth],
    ['zero-shot and tuned', 1280, 'light', worth],
    ['several runs', 390, 'light', several],
    ['several runs', 1280, 'dark', several],
    ['a certificate', 390, 'light', certificate],
    ['a certificate', 1280, 'dark', certificate],
    ['an experiment', 390, 'dark', table],
    ['two classes', 1280, 'light', two],
    ['words that try to be markup', 1280, 'light', hostile],
    ['words that try to be markup', 390, 'dark', hostile],
    ['many classes with long names', 1280, 'dark', many],
    ['many classes with long names', 390, 'light', many],
  ] as const;

  it.each(cases)(
    '%s, %i wide, %s: quiet, accessible, never wider than the window',
    async (_, width, colorScheme, make) => {
      const path = join(folder, 'report.html');
      await writeFile(path, make());
      const context = await browser().newContext({ viewport: { width, height: 900 }, colorScheme });
      try {
        const page = await context.newPage();
        const heard: string[] = [];
        page.on('console', (message) => heard.push(message.text()));
        page.on('pageerror', (error) => heard.push(error.message));
        page.on('dialog', (dialog) => heard.push(dialog.message()));
        page.on('request', (request) => {
          if (request.url() !== `file://${path}` && !request.url().startsWith('data:')) heard.push(request.url());
        });
        await page.goto(`file://${path}`);
        await page.evaluate(() => {
          for (const details of document.querySelectorAll('details')) details.open = true;
        });
        const seen = await page.evaluate(() => ({
          // A certificate has no chart, but words in the same colour.
          ink:
            document.querySelector('svg text') === null
              ? getComputedStyle(document.querySelector('.kicker')!).color
              : getComputedStyle(document.querySelector('svg text')!).fill,
          paper: getComputedStyle(document.body).backgroundColor,
          wide: document.documentElement.scrollWidth > window.innerWidth,
          flat: [...document.querySelectorAll('svg')].filter((svg) => svg.getBoundingClientRect().height < 60).length,
          // Words of a chart that lie beyond its edge, where nothing is drawn.
          cut: [...document.querySelectorAll('svg')].flatMap((svg) => {
            const chart = svg.getBoundingClientRect();
            return [...svg.querySelectorAll('text')].flatMap((text) => {
              const { left, right, top, bottom } = text.getBoundingClientRect();
              const inside = Math.min(left - chart.left, chart.right - right, top - chart.top, chart.bottom - bottom);
              return inside < -1 ? [text.textContent] : [];
            });
          }),
        }));
        expect(seen).toEqual({
          paper: colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(22, 25, 29)',
          wide: false,
          flat: 0,
          cut: [],
          ink: colorScheme === 'light' ? 'rgb(87, 96, 106)' : 'rgb(160, 168, 178)',
        });
        expect(heard).toEqual([]);
        // Not as a script of the page: its policy would refuse that, as it should.
        await page.evaluate(await readFile(AXE, 'utf8'));
        const { violations } = (await page.evaluate("axe.run({ resultTypes: ['violations'] })")) as AxeResults;
        const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        expect(grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
      } finally {
        await context.close();
      }
    },
  );

  it('prints a figure whole, on white, and no page nearly empty', async () => {
    const path = join(folder, 'printed.html');
    await writeFile(path, runReport(comparedRun(['awe', 'fear', 'joy'], 10, 30)));
    const context = await browser().newContext({ colorScheme: 'dark' });
    try {
      const page = await context.newPage();
      await page.goto(`file://${path}`);
      const pdf = await page.pdf({ format: 'A4' });
      // With a page for each section, and one more for those that do not fit, there would be seven.
      expect(pdf.toString('latin1').match(/\/Type \/Page\b(?!s)/g)!.length).toBeLessThanOrEqual(4);
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      const printed = await page.evaluate(() => ({
        paper: getComputedStyle(document.body).backgroundColor,
        cut: [...document.querySelectorAll('figure, .scroll')].filter(
          (one) => getComputedStyle(one).breakInside !== 'avoid',
        ).length,
        kept: [...document.querySelectorAll('section')].filter((one) => getComputedStyle(one).breakInside !== 'auto')
          .length,
      }));
      expect(printed).toEqual({ paper: 'rgb(255, 255, 255)', cut: 0, kept: 0 });
    } finally {
      await context.close();
    }
  });
});
