/** Tune: prompts learned in the page are better than none, and are the command line's own. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { encodePng } from '../../src/clip/image/index.js';
import { demoScenes, SPLITS } from '../../src/demo/index.js';
import { ptdpcJson, scratchPath, setUpProgram } from '../cli/program.js';
import { expectDone } from '../cli/tuning/support.js';
import { describeInBrowser } from '../support/browser.js';
import { violationsOf } from './axe.js';
import { setUpPage, withPage } from './page.js';

const ROOT = new URL('../..', import.meta.url).pathname;
const MODEL = `${ROOT}assets/demo-model`;
const SCENES = { train: 10, val: 3, test: 8 } as const;

setUpProgram();
const built = setUpPage();

/** `data/{train,val,test}/<emotion>/*.png`. */
beforeAll(async () => {
  for (const split of SPLITS) {
    for (const { emotion, fileName, pixels } of demoScenes({ perClass: SCENES[split], split, seed: 3 })) {
      const path = scratchPath(`data/${split}/${emotion}/${fileName.replace('.jpg', '.png')}`);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, encodePng(pixels.data, pixels.width, pixels.height));
    }
  }
});

const panel = (page: Page) => page.locator('#panel-tune');
const runs = (page: Page) => panel(page).locator('.run');

/** Starts a tuning with so many epochs. */
async function startTuning(page: Page, epochs: number): Promise<Locator> {
  const before = await runs(page).count();
  if (!(await panel(page).getByLabel('Epochs', { exact: true }).isVisible()))
    await panel(page).getByText('More settings').click();
  await panel(page).getByLabel('Epochs', { exact: true }).fill(String(epochs));
  await panel(page).getByRole('button', { name: 'Tune', exact: true }).click();
  const run = runs(page).nth(before);
  await run.waitFor();
  return run;
}

const untilIs = async (run: Locator, status: string) => {
  const page = run.page();
  const id = await run.getAttribute('aria-labelledby');
  await page.waitForFunction(
    ([id, status]) => document.querySelector<HTMLElement>(`[aria-labelledby="${id}"]`)?.dataset.status === status,
    [id, status],
  );
};

/** The prompts that a run gives to be saved. */
async function saved(run: Locator): Promise<Buffer> {
  const download = run.page().waitForEvent('download');
  await run.getByRole('button', { name: 'Save prompts' }).click();
  return readFile(await (await download).path());
}

/** The last table of a run: its confusion matrix, as counts. */
async function confusionOf(run: Locator): Promise<number[][]> {
  const rows = run.locator('figure').last().locator('tbody tr');
  return rows.evaluateAll((all) =>
    all.map((row) => [...row.querySelectorAll('td')].map((cell) => Number(cell.textContent))),
  );
}

/** Cells of the comparison, by their columns' names. */
async function compared(page: Page, place: number): Promise<Record<string, string>> {
  const table = panel(page).locator('[aria-label="All tunings"]');
  const head = await table.locator('thead th').allInnerTexts();
  const cells = await table.locator('tbody tr').nth(place).locator('th, td').allInnerTexts();
  return Object.fromEntries(head.map((name, i) => [name, cells[i]!]));
}

const share = (text: string | undefined) => Number.parseFloat(text ?? '');

describeInBrowser('Tune', (browser) => {
  it('raises held-out accuracy on scenes, while the page goes on', () =>
    withPage(browser(), `${built().url}#tune`, async ({ page }) => {
      const long = await startTuning(page, 2000);
      await long.locator('[aria-label="Accuracy (%) by epoch"]').waitFor({ state: 'attached' });
      // A frame is drawn and a click answered while the engine works.
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
      await page.getByRole('tab', { name: 'Predict' }).click();
      expect(await page.locator('#panel-predict').isVisible()).toBe(true);
      expect(await long.getAttribute('data-status')).toBe('running');
      await page.getByRole('tab', { name: 'Tune' }).click();
      await long.getByRole('button', { name: 'Stop' }).click();
      await untilIs(long, 'stopped');

      const run = await startTuning(page, 20);
      await untilIs(run, 'done');
      const { 'test: zero-shot': before, 'test: tuned': after, epochs } = await compared(page, 1);
      expect(epochs).toBe('20 of 20');
      expect(share(after)).toBeGreaterThan(share(before) + 5);
      expect(await run.locator('figure svg').count()).toBe(3);
      expect(await violationsOf(page)).toEqual([]);
    }));

  it('stops and goes on to the very prompts of a tuning that was not stopped, which the command line evaluates alike', () =>
    withPage(browser(), `${built().url}#tune`, async ({ page }) => {
      await panel(page).getByLabel('My folders').check();
      await panel(page).locator('input[type=file]').setInputFiles(scratchPath('data'));
      const stopped = await startTuning(page, 40);
      await stopped.getByText(/, \d+ of 40 epochs/).waitFor();
      await stopped.getByRole('button', { name: 'Stop' }).click();
      await untilIs(stopped, 'stopped');
      const early = await saved(stopped);
      await stopped.getByRole('button', { name: 'Resume' }).click();
      await untilIs(stopped, 'done');
      const whole = await startTuning(page, 40);
      await untilIs(whole, 'done');
      const prompts = await saved(whole);
      expect((await saved(stopped)).equals(prompts)).toBe(true);
      expect(early.equals(prompts)).toBe(false);

      await writeFile(scratchPath('page.safetensors'), prompts);
      const evaluated = await ptdpcJson<{ confusion: number[][]; accuracy: number }>([
        ...['eval', '--run', 'page.safetensors', '--model', MODEL, '--data', 'data', '--device', 'cpu'],
      ]);
      expect(await confusionOf(whole)).toEqual(evaluated.confusion);
      expect(share((await compared(page, 1))['test: tuned'])).toBeCloseTo(100 * evaluated.accuracy, 1);
    }));

  it('takes prompts from the command line, and finds them as good', () =>
    withPage(browser(), built().url, async ({ page }) => {
      const device = ['--device', 'cpu'];
      const options = ['--preset', 'paper', '--mode', 'cs', '--epochs', '2', '--batch-size', '16'];
      await expectDone(['train', '--model', MODEL, '--data', 'data', '--out', 'run', ...options, ...device]);
      const { confusion } = await ptdpcJson<{ confusion: number[][] }>(['eval', '--run', 'run', ...device]);

      await page
        .locator('#panel-predict input[accept=".safetensors"]')
        .setInputFiles(scratchPath('run/prompts.safetensors'));
      const chosen = page.getByLabel('Prompts', { exact: true });
      await chosen
        .locator('option', { hasText: 'paper, cs, 2 epochs (prompts.safetensors)' })
        .waitFor({ state: 'attached' });
      await page.getByText('Mode cs has no weights').waitFor();

      await page.getByRole('tab', { name: 'Tune' }).click();
      await panel(page).getByLabel('My folders').check();
      await panel(page).locator('input[type=file]').setInputFiles(scratchPath('data'));
      await panel(page)
        .getByLabel('Available prompts')
        .selectOption({ label: 'paper, cs, 2 epochs (prompts.safetensors)' });
      await panel(page).getByRole('button', { name: 'Evaluate' }).click();
      const run = runs(page).first();
      await run.waitFor();
      await untilIs(run, 'done');
      expect(await confusionOf(run)).toEqual(confusion);
    }));

  it('says in a line what is wrong with folders and with files of prompts', () =>
    withPage(browser(), `${built().url}#tune`, async ({ page }) => {
      await panel(page).getByLabel('My folders').check();
      await panel(page).locator('input[type=file]').setInputFiles(scratchPath('data/test/awe'));
      await panel(page).getByRole('button', { name: 'Tune', exact: true }).click();
      expect(await panel(page).getByRole('alert').innerText()).toMatch(/^awe: no class folders with images; expected /);

      await page.getByRole('tab', { name: 'Predict' }).click();
      const garbage = { name: 'x.safetensors', mimeType: '', buffer: Buffer.from('nothing of the kind') };
      await page.locator('#panel-predict input[accept=".safetensors"]').setInputFiles(garbage);
      expect(await page.locator('#panel-predict').getByRole('alert').innerText()).toMatch(/^x\.safetensors: /);
    }));
});
