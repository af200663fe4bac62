/**
 * Course without a GPU, where answers are executed in lockstep: a task's start is told what is wrong, hints come one by one, and a right answer
 * leads on and counts as progress that stays.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { tasks } from '../../src/lab/index.js';
import { describeInBrowser } from '../support/browser.js';
import { violationsOf } from './axe.js';
import { setUpPage, withPage } from './page.js';

const built = setUpPage();
const SOLUTION = readFileSync(new URL('../lab/solutions/first-steps/double.wgsl', import.meta.url), 'utf8');

describeInBrowser('Course', (browser) => {
  it('checks answers, shows where they are wrong, and keeps what was solved', () =>
    withPage(browser(), `${built().url}#course`, async ({ page }) => {
      const check = () => page.getByRole('button', { name: 'Check', exact: true }).click();
      const answer = async (text: string) => {
        await page.evaluate((text) => localStorage.setItem('ptdpc lab course text double', text), text);
        await page.reload();
        await check();
      };
      await page.getByText('This browser has no WebGPU adapter: answers are executed on the processor').waitFor();
      await check();
      await page.locator('#course-verdict', { hasText: 'Not yet: it is wrong on double length=1' }).waitFor();
      await page.getByRole('img', { name: '1 of 1 element of out is wrong, the first in row 0, column 0' }).waitFor();
      expect(await page.getByRole('button', { name: 'Next task' }).count()).toBe(0);
      expect(await page.locator('.course-hints').count()).toBe(0);
      await page.getByRole('button', { name: 'Hint 1 of 3' }).click();
      await page.getByRole('button', { name: 'Hint 2 of 3' }).click();
      expect(await page.locator('.course-hints li').count()).toBe(2);
      expect(await violationsOf(page)).toEqual([]);
      // What is asked comes before the editor, also on a phone.
      await page.setViewportSize({ width: 390, height: 844 });
      const [asked, editor] = [page.locator('.course-task'), page.locator('.lab-editor')];
      expect((await asked.boundingBox())!.y).toBeLessThan((await editor.boundingBox())!.y);
      expect(await violationsOf(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);

      await answer(SOLUTION.replace('2.0 * x[i]', '2.0 * y[i]'));
      const line = SOLUTION.split('\n').findIndex((text) => text.includes('2.0 * x[i]')) + 1;
      await page.locator('#course-verdict', { hasText: `line ${line}: y is not declared` }).waitFor();
      await page.locator('.editor .cm-lint-marker-error').waitFor();
      await answer(SOLUTION.replace('i >= params.length', 'i > params.length'));
      await page.locator('#course-verdict', { hasText: 'it writes past the end of its output' }).waitFor();
      expect(await page.locator('.course-side pre').innerText()).not.toMatch(/off by more/);
      await answer(SOLUTION);
      await page.locator('#course-verdict', { hasText: /^Right on \d+ cases$/ }).waitFor();
      const next = tasks[1]!.title;
      await page.getByRole('button', { name: `Next task: ${next}` }).click();
      await page.getByRole('heading', { name: next }).waitFor();
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(next);
      await page.reload();
      await page.getByText(`1 of ${tasks.length} tasks solved.`).waitFor();
    }));
});
