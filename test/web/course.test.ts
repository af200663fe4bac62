/** Course: a task's start is told what is wrong, hints come one by one, and a right answer counts as progress that stays. */
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
      await check();
      await page.locator('#course-verdict', { hasText: 'Not yet: it is wrong on double length=1' }).waitFor();
      await page.getByRole('img', { name: '1 of 1 elements of out are wrong, the first in row 0, column 0' }).waitFor();
      expect(await page.locator('.course-hints').count()).toBe(0);
      await page.getByRole('button', { name: 'Hint 1 of 3' }).click();
      await page.getByRole('button', { name: 'Hint 2 of 3' }).click();
      expect(await page.locator('.course-hints li').count()).toBe(2);
      expect(await violationsOf(page)).toEqual([]);
      await page.evaluate((text) => localStorage.setItem('ptdpc lab course text double', text), SOLUTION);
      await page.reload();
      await check();
      await page.locator('#course-verdict', { hasText: /^Right on \d+ cases$/ }).waitFor();
      await page.reload();
      await page.getByText(`1 of ${tasks.length} tasks solved.`).waitFor();
    }));
});
