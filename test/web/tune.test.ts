/** Tune: prompts learned in the page are better than none, and are the command line's own. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { encodePng } from '../../src/clip/image/index.js';
import { demoScenes, SPLITS } from '../../src/demo/index.js';
import { ptdpcJson, scratchPath, setUpProgram } from '../cli/program.js';
import { expectDone } from '../cli/tuning/support.js';
import { describeInBrowser } from '../support/browser.js';
import { violationsOf } from './axe.js';
import { probabilitiesOf, setUpPage, withPage } from './page.js';

const ROOT = new URL('../..', import.meta.url).pathname;
const MODEL = `${ROOT}assets/demo-model`;
const TINY = { train: 2, val: 1, test: 1 } as const;
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
    for (const { emotion, pixels } of demoScenes({ perClass: TINY[split], split, seed: 4 })) {
      const folder = scratchPath(`tiny/${split}/${emotion}`);
      await mkdir(folder, { recursive: true });
      const name = `${emotion}-${(await readdir(folder)).length}.png`;
      await writeFile(`${folder}/${name}`, encodePng(pixels.data, pixels.width, pixels.height));
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

/** Every number of a run's curves and its confusion matrix. */
const numbersOf = (run: Locator) =>
  run.locator('tbody').evaluateAll((all) => all.map((rows) => rows.textContent ?? ''));

/** Two epochs of two batches: chosen before the first tuning of a page. */
async function chooseTinyTraining(page: Page, mode: string): Promise<void> {
  await panel(page).getByLabel('My folders').check();
  await panel(page).locator('input[type=file]').setInputFiles(scratchPath('tiny'));
  if (mode !== 'both') {
    await panel(page).getByLabel('both:').uncheck();
    await panel(page).getByLabel(`${mode}:`).check();
  }
  await panel(page).getByText('More settings').click();
  await panel(page).getByLabel('Batch size').fill('8');
}

/** A tuning in one go and one in steps, with a prediction meanwhile. */
async function steppingIsTraining(page: Page, mode: string): Promise<void> {
  await chooseTinyTraining(page, mode);
  const whole = await startTuning(page, 2);
  await untilIs(whole, 'done');
  const prompts = await saved(whole);

  await panel(page).getByRole('button', { name: 'Start with a batch' }).click();
  const standing = panel(page).locator('.standing [role=status]');
  await standing.getByText(/^Paused after 0 of 2 epochs and 1 of 2 batches; loss of the last batch/).waitFor();
  await page.getByRole('tab', { name: 'Predict' }).click();
  await page.locator('#panel-predict input[type=file][multiple]').setInputFiles(scratchPath('tiny/test/awe/awe-0.png'));
  const said = await probabilitiesOf(page, 'awe-0.png');
  expect(Object.values(said).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
  await page.getByRole('tab', { name: 'Tune' }).click();
  await standing.getByText(/^Paused after 0 of 2 epochs and 1 of 2 batches/).waitFor();

  await panel(page).getByRole('button', { name: 'Step a batch' }).click();
  await standing.getByText(/^Paused after 1 of 2 epochs; validation/).waitFor();
  expect(await panel(page).locator('.tile[data-answer]').count()).toBe(8);
  await panel(page).getByRole('button', { name: 'Step an epoch' }).click();
  const stepped = runs(page).nth(1);
  await untilIs(stepped, 'done');
  expect((await saved(stepped)).equals(prompts)).toBe(true);
  const numbers = await numbersOf(stepped);
  expect(numbers).toEqual(await numbersOf(whole));
  expect(numbers[0]).toMatch(/\d/);
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
      // Accuracy, two losses that are not the same figure, confusion.
      expect(await run.locator('figure svg').count()).toBe(4);
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

  it('steps to the very prompts and metrics of a training in one go, and predicts while it pauses', () =>
    withPage(browser(), `${built().url}#tune`, ({ page }) => steppingIsTraining(page, 'both')));

  it('shows at once that something happens, and is accessible in both schemes and on a phone', () =>
    withPage(browser(), `${built().url}#tune`, async ({ page }) => {
      await panel(page).getByLabel('Scenes per emotion').fill('2');
      await panel(page).getByRole('button', { name: 'Start with an epoch' }).click();
      await panel(page)
        .getByText(/^encoding the \w+ pictures$/)
        .waitFor();
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('stage-title');
      expect(await panel(page).locator('.stage').getByRole('button', { name: 'Stop' }).count()).toBe(1);
      await panel(page)
        .getByText(/^Paused after 1 of 25 epochs/)
        .waitFor();
      await panel(page)
        .getByRole('img', { name: /^Plane of 32 learned tokens after 1 step/ })
        .waitFor();
      await panel(page).locator('figure.chart svg').first().waitFor();
      expect(await runs(page).first().getByRole('status').innerText()).toMatch(/^paused, 1 of 25 epochs/);
      expect((await panel(page).locator('.stage').boundingBox())!.height).toBeLessThanOrEqual(900);
      for (const [width, height] of [
        [1280, 800],
        [390, 844],
      ] as const) {
        await page.setViewportSize({ width, height });
        expect(await violationsOf(page), `${width}`).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        const cut = (all: Element[]) => all.filter((word) => word.scrollWidth > word.clientWidth).length;
        expect(await panel(page).locator('.tile .says').evaluateAll(cut)).toBe(0);
      }
      // What needs the device for itself ends a tuning that pauses; it keeps its last epoch.
      await page.getByLabel('Device', { exact: true }).selectOption('cpu');
      await untilIs(runs(page).first(), 'stopped');
      await page.waitForURL(/device=cpu/);
      await runs(page).first().getByRole('button', { name: 'Resume' }).click();
      await untilIs(runs(page).first(), 'done');
    }));

  it('keeps runs over a reload until they are forgotten, and marks one that is worse than no tuning', () =>
    withPage(browser(), `${built().url}#tune`, async ({ page }) => {
      await panel(page).getByLabel('Scenes per emotion').fill('2');
      const run = await startTuning(page, 2);
      await untilIs(run, 'done');
      await panel(page).getByLabel('Learning rate').fill('3');
      const wild = await startTuning(page, 2);
      await untilIs(wild, 'done');
      expect(await run.locator('h3').innerText()).toBe('lr 0.01');
      expect(await wild.locator('h3').innerText()).toBe('lr 3');
      const before = [await compared(page, 0), await compared(page, 1)];
      expect(share(before[1]?.['test: tuned'])).toBeLessThan(share(before[1]?.['test: zero-shot']));
      expect(before[1]?.['against zero-shot']).toBe('worse');
      await wild.getByText('worse than zero-shot').waitFor();
      const prompts = await saved(run);

      await page.reload();
      await untilIs(runs(page).first(), 'done');
      expect([await compared(page, 0), await compared(page, 1)]).toEqual(before);
      expect((await saved(runs(page).first())).equals(prompts)).toBe(true);
      await panel(page).locator('.tile[data-answer]').first().waitFor();

      await panel(page).getByRole('button', { name: 'Forget all tunings' }).click();
      await runs(page).first().waitFor({ state: 'detached' });
      await page.reload();
      await panel(page).getByText('Watch the training').waitFor();
      await page.locator('.device p', { hasText: /^CPU/ }).waitFor();
      expect(await runs(page).count()).toBe(0);
    }));
});

describeInBrowser(
  'Tune on WebGPU',
  (browser) => {
    it('steps to the very prompts and metrics of a training in one go', () =>
      withPage(browser(), `${built().url}?device=webgpu#tune`, async ({ page }) => {
        await steppingIsTraining(page, 'cs');
        expect(await page.locator('.device p').innerText()).toMatch(/^WebGPU, swiftshader/);
      }));
  },
  'swiftshader',
);
