/** How it works: every number is that of `ptdpc explain` and of the library, as it is and as it would be. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bytesSource } from '../../src/clip/checkpoint/index.js';
import { encodePng } from '../../src/clip/image/index.js';
import { demoScene, type Emotion } from '../../src/demo/index.js';
import { openDevice, openModelDirectory } from '../../src/node/index.js';
import {
  ClipModel,
  decodePrompts,
  encodePrompts,
  type ForwardExplanation,
  type Mode,
  PRESETS,
  type Preset,
  type PromptsFile,
  ptDpcPrompts,
} from '../../src/ptdpc/index.js';
import { ptdpcJson, scratchPath, setUpProgram } from '../cli/program.js';
import { describeInBrowser } from '../support/browser.js';
import { violationsOf } from './axe.js';
import { setUpPage, withPage } from './page.js';

const ROOT = new URL('../..', import.meta.url).pathname;
const MODEL = `${ROOT}assets/demo-model`;
/** Tokens that differ between classes, and tokens that do not. */
const DIFFERENT = `${ROOT}web/assets/demo-prompts-noise.safetensors`;
const EQUAL = `${ROOT}web/assets/demo-prompts.safetensors`;
/** The same of preset `paper`. */
const PAPER = `${ROOT}web/assets/demo-prompts-paper.safetensors`;
const CLOSE = 1e-5;

/** The page's first scenes: what it shows of these emotions. */
const [SHOWN, OTHER] = ['amusement', 'fear'] as const;

setUpProgram();
const built = setUpPage();

interface ExplainJson {
  classes: string[];
  images: { probabilities: number[]; weights: number[][] }[];
}

let clip: ClipModel;
let release: () => Promise<void>;
let feature: Float32Array;
let otherFeature: Float32Array;
let file: PromptsFile;
let commandLine: ExplainJson;

beforeAll(async () => {
  const device = await openDevice('cpu');
  const directory = await openModelDirectory(MODEL);
  clip = new ClipModel(device, directory);
  release = async () => {
    clip[Symbol.dispose]();
    device[Symbol.dispose]();
    await directory[Symbol.asyncDispose]();
  };
  feature = await featureOf(SHOWN);
  otherFeature = await featureOf(OTHER);
  file = ptDpcPrompts(await promptsOf(DIFFERENT), DIFFERENT);
  const { data, width, height } = sceneOf(SHOWN);
  await writeFile(scratchPath('shown.png'), encodePng(data, width, height));
  commandLine = await explainJson(DIFFERENT);
});
afterAll(() => release());

const sceneOf = (emotion: Emotion) => demoScene(emotion, 0, { split: 'test' });
const featureOf = (emotion: Emotion) => clip.embedImages([{ ...sceneOf(emotion), mode: 'RGB' }]);
const explainJson = (run: string) =>
  ptdpcJson<ExplainJson>(['explain', '--run', run, '--model', MODEL, '--device', 'cpu', scratchPath('shown.png')]);

const promptsOf = async (path: string) => decodePrompts(bytesSource(path, await readFile(path)));

/** The forward pass of other tokens, options or weights, by the library. */
async function recomputed(
  changed: Partial<Pick<PromptsFile, 'shape' | 'prompts'>> & { mode?: Mode; preset?: Preset },
  weights?: (own: ForwardExplanation) => Float32Array,
): Promise<ForwardExplanation> {
  const { mode = file.options.mode, preset = file.options.preset, ...rest } = changed;
  const { weight, learnSot } = PRESETS[preset];
  using tuned = await clip.restorePrompts({
    ...file,
    ...rest,
    options: { ...file.options, mode, preset, weight, learnSot },
  });
  const own = await tuned.explainForward(feature);
  return weights ? await tuned.explainForward(feature, weights(own)) : own;
}

const panel = (page: Page) => page.locator('#panel-how');

/** Once the numbers on show are those that were asked for. */
const settled = async (page: Page) => {
  await page.waitForFunction(() => document.querySelector('.how-steps')?.getAttribute('data-stale') === 'false');
};

/** Numbers of a part of the drawing, in full. */
const numbersOf = (page: Page, selector: string): Promise<number[]> =>
  panel(page)
    .locator(`${selector} [data-value]`)
    .evaluateAll((all) => all.map((one) => Number((one as HTMLElement).dataset.value)));

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a, (x, i) => Math.abs(x - b[i]!)).reduce((most, x) => Math.max(most, x), 0);
};

async function expectNumbers(page: Page, expected: ForwardExplanation): Promise<void> {
  await settled(page);
  const { cosines, weights, logits, logitScale, probabilities } = expected;
  expect(largestDifference(await numbersOf(page, '[data-step=cosine]'), cosines ?? [])).toBeLessThan(CLOSE);
  expect(largestDifference(await numbersOf(page, '[data-step=weight]'), weights ?? [])).toBeLessThan(CLOSE);
  const texts = logits.map((logit) => logit / logitScale);
  expect(largestDifference(await numbersOf(page, '.step-tower'), texts)).toBeLessThan(CLOSE);
  // A logit is a cosine times the scale, and so is its rounding.
  expect(largestDifference(await numbersOf(page, '.step-logits'), logits)).toBeLessThan(CLOSE * logitScale);
  expect(largestDifference(await numbersOf(page, '.step-probabilities'), probabilities)).toBeLessThan(CLOSE);
}

const choose = (page: Page, label: string, value: string) =>
  panel(page).getByLabel(label, { exact: true }).selectOption(value);

const [sets, tokens, width] = [8, 4, 128] as const;

/** What every way of changing the method gives, on the page and by the library. */
async function compareAll(page: Page): Promise<void> {
  await panel(page).locator('.flow').waitFor();
  const own = await recomputed({});
  await expectNumbers(page, own);
  const [{ probabilities, weights }] = commandLine.images as [ExplainJson['images'][0]];
  expect(largestDifference(await numbersOf(page, '.step-probabilities'), probabilities)).toBeLessThan(CLOSE);
  expect(largestDifference(await numbersOf(page, '[data-step=weight]'), weights.flat())).toBeLessThan(CLOSE);

  // All weights equal.
  await choose(page, 'Weights', 'equal');
  const equal = await recomputed({}, ({ weights }) =>
    weights!.map(() => weights!.reduce((a, b) => a + b) / weights!.length),
  );
  expect(largestDifference(equal.probabilities, own.probabilities)).toBeGreaterThan(10 * CLOSE);
  await expectNumbers(page, equal);

  // Those of another picture.
  await choose(page, 'Weights', 'picture');
  await choose(page, 'Other picture', `scene ${OTHER} 0`);
  using tuned = await clip.restorePrompts(file);
  const others = (await tuned.explainForward(otherFeature)).weights!;
  await expectNumbers(page, await recomputed({}, () => others));

  // One weight, by its slider and back.
  await choose(page, 'Weights', 'own');
  await settled(page);
  await panel(page)
    .locator('[data-step=weight] button')
    .nth(2 * tokens + 1)
    .click();
  // The last of several wins, whichever were asked for in between.
  for (const value of ['0.9', '0.3', '-0.8']) await panel(page).getByLabel('Set it to').fill(value);
  const slid = await recomputed({}, ({ weights }) => weights!.with(2 * tokens + 1, -0.8));
  expect(largestDifference(slid.probabilities, own.probabilities)).toBeGreaterThan(10 * CLOSE);
  await expectNumbers(page, slid);
  await panel(page).getByRole('button', { name: 'Undo' }).click();
  await expectNumbers(page, own);

  // Other modes: the mean of the classes' prompts where one is shared.
  const size = tokens * width;
  const mean = Float32Array.from({ length: size }, (_, at) => {
    let sum = 0;
    for (let set = 0; set < sets; set++) sum += file.prompts[set * size + at]!;
    return sum / sets;
  });
  await choose(page, 'Mode', 'cs');
  await expectNumbers(page, await recomputed({ mode: 'cs' }));
  for (const mode of ['is', 'none'] as const) {
    await choose(page, 'Mode', mode);
    await expectNumbers(page, await recomputed({ mode, shape: [1, tokens, width], prompts: mean }));
  }

  // The paper's preset: the start token is frozen again, and the weight is the cosine.
  await choose(page, 'Mode', 'both');
  await choose(page, 'Preset', 'paper');
  const withoutSot = file.prompts.filter((_, at) => at % size >= width);
  const paper = await recomputed({ preset: 'paper', shape: [sets, tokens - 1, width], prompts: withoutSot });
  await expectNumbers(page, paper);
  expect(paper.weights).toEqual(paper.cosines);
  await panel(page).getByRole('button', { name: 'Reset' }).click();
  await expectNumbers(page, own);
}

describeInBrowser('How it works without WebGPU', (browser) => {
  it('shows the numbers of the command line, and what each change makes of them', () =>
    withPage(browser(), `${built().url}#how`, ({ page }) => compareAll(page)));

  it('says whether the classes’ tokens differ, and goes from one case to the other', () =>
    withPage(browser(), `${built().url}#how`, async ({ page }) => {
      await panel(page).getByText('In this run they differ').waitFor();
      await panel(page).getByRole('button', { name: 'See a run whose tokens are equal' }).click();
      const said = panel(page).getByText('In this run they are equal');
      await said.waitFor();
      const { images } = await explainJson(EQUAL);
      const { weights } = images[0]!;
      const weightsShown = await numbersOf(page, '[data-step=weight]');
      expect(largestDifference(weightsShown, weights.flat())).toBeLessThan(CLOSE);
      const rows = Array.from({ length: sets }, (_, i) => weightsShown.slice(i * tokens, (i + 1) * tokens));
      for (const row of rows) expect(row).toEqual(rows[0]);
      const sums = Array.from({ length: tokens }, (_, j) => weights.reduce((sum, row) => sum + row[j]!, 0).toFixed(2));
      expect(await panel(page).locator('.story-run').innerText()).toContain(sums.join(', '));

      // Of the paper's preset the weights are the cosines, and decide more.
      await panel(page).getByRole('button', { name: 'See a run whose tokens differ' }).click();
      await panel(page).getByText('In this run they differ').waitFor();
      using tuned = await clip.restorePrompts(await promptsOf(PAPER));
      const own = await tuned.explainForward(feature);
      await expectNumbers(page, own);
      expect(own.weights).toEqual(own.cosines);
      await choose(page, 'Weights', 'equal');
      const mean = own.weights!.reduce((a, b) => a + b) / own.weights!.length;
      const equal = await tuned.explainForward(feature, new Float32Array(own.weights!.length).fill(mean));
      await expectNumbers(page, equal);
      expect(largestDifference(equal.probabilities, own.probabilities)).toBeGreaterThan(0.1);
    }));

  it('opens every number by keyboard: its formula, its kernel, one lane of it', () =>
    withPage(browser(), `${built().url}#how`, async ({ page }) => {
      await panel(page).locator('.flow').waitFor();
      const own = await recomputed({});
      const details = panel(page).locator('.details');
      await panel(page).locator('[data-step=cosine] button').first().focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowRight');
      const at = tokens + 1;
      const cosine = own.cosines![at]!.toFixed(4).replace('-', '−');
      expect(await details.locator('h2').innerText()).toBe('Cosine of the picture and anger, token 2 (a)');
      expect(await details.locator('.formula-lines code').last().innerText()).toMatch(new RegExp(`= ${cosine}$`));
      // The first product of the lane: f[1] times the first number of the token, divided by its length.
      const p = file.prompts.subarray(at * width, (at + 1) * width);
      const product = (feature[0]! * p[0]!) / Math.hypot(...p);
      const row = await details.locator('tbody tr').first().locator('th, td').allInnerTexts();
      expect(row[3]).toBe(product.toFixed(5).replace('-', '−'));

      await panel(page).locator('.step-prompt .vector').nth(2).press('Enter');
      expect(await details.locator('h2').innerText()).toBe('Token 3 (photo) of the composed prompt');
      await details.getByLabel('Element').fill('7');
      const value = own.composed![2 * width + 6]!.toFixed(4).replace('-', '−');
      expect(await details.locator('tbody tr').last().innerText()).toContain(value);
      expect(await details.locator('.note').first().innerText()).toContain(
        `Workgroup ${Math.floor((2 * width + 6) / 64)}, lane ${(2 * width + 6) % 64} of compose`,
      );
      await details.getByRole('link', { name: 'Open compose in the laboratory' }).click();
      await page.locator('#panel-laboratory').getByLabel('Kernel', { exact: true }).waitFor();
      expect(await page.locator('#panel-laboratory').getByLabel('Kernel', { exact: true }).inputValue()).toBe(
        'compose',
      );
    }));

  it('follows the picture that was chosen under Predict', () =>
    withPage(browser(), built().url, async ({ page }) => {
      await page.locator('.gallery button', { hasText: `drawn: ${OTHER}` }).click();
      await page.getByRole('link', { name: 'See how this answer is computed' }).click();
      await panel(page).locator('.flow').waitFor();
      await settled(page);
      using tuned = await clip.restorePrompts(file);
      await expectNumbers(page, await tuned.explainForward(otherFeature));
    }));

  it('draws few of many classes, and all of them go into the sum', () =>
    withPage(browser(), built().url, async ({ page }) => {
      const count = 30;
      const size = tokens * width;
      const many: PromptsFile = {
        ...file,
        classes: Array.from({ length: count }, (_, i) => ({ folder: `${i}`, word: `c ${i}` })),
        shape: [count, tokens, width],
        prompts: Float32Array.from({ length: count * size }, (_, at) => file.prompts[at % file.prompts.length]!),
      };
      const buffer = Buffer.from(await encodePrompts(many));
      await page.locator('.answer [data-tuned]').first().waitFor();
      const upload = { name: 'many.safetensors', mimeType: 'application/octet-stream', buffer };
      await page.locator('#panel-predict input[accept=".safetensors"]').setInputFiles(upload);
      await page.getByRole('tab', { name: 'How it works' }).click();
      await panel(page)
        .getByText(/Drawn: the 24 most probable of 30 classes; all of them go into the sum/)
        .waitFor();
      await settled(page);
      using tuned = await clip.restorePrompts(many);
      const { probabilities, weights } = await tuned.explainForward(feature);
      const places = [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]!).slice(0, 24);
      const shown = places.map((place) => probabilities[place]!);
      expect(largestDifference(await numbersOf(page, '.step-probabilities'), shown)).toBeLessThan(CLOSE);
      // A slider moves the weight of the class in its row, wherever that is among all classes.
      const row = places.findIndex((place, row) => place !== row);
      await panel(page)
        .locator('[data-step=weight] button')
        .nth(row * tokens)
        .click();
      await panel(page).getByLabel('Set it to').fill('1');
      await settled(page);
      const changed = await tuned.explainForward(feature, weights!.with(places[row]! * tokens, 1));
      const all = Array.from(changed.probabilities).sort((a, b) => b - a);
      expect(largestDifference(await numbersOf(page, '.step-probabilities'), all.slice(0, 24))).toBeLessThan(CLOSE);
    }));

  it.each([
    [1280, 800],
    [390, 844],
  ])('%i x %i: accessible, and no wider than the window, in every mode', (width, height) =>
    withPage(
      browser(),
      `${built().url}#how`,
      async ({ page }) => {
        await panel(page).locator('.flow').waitFor();
        const expectWell = async (what: string) => {
          await settled(page);
          expect(await violationsOf(page), what).toEqual([]);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
          expect(wide, what).toBe(false);
        };
        await expectWell('as it is');
        await panel(page).locator('.step-prompt .vector').first().click();
        await choose(page, 'Weights', 'equal');
        await expectWell('equal weights');
        for (const mode of ['cs', 'is', 'none']) {
          await choose(page, 'Mode', mode);
          await expectWell(mode);
        }
      },
      { viewport: { width, height }, reducedMotion: 'reduce' },
    ),
  );
});

describeInBrowser(
  'How it works on WebGPU',
  (browser) => {
    it('shows the numbers of the command line, and what each change makes of them', () =>
      withPage(browser(), `${built().url}?device=webgpu#how`, async ({ page }) => {
        await compareAll(page);
        expect(await page.locator('.device p').innerText()).toMatch(/^WebGPU, swiftshader/);
      }));
  },
  'swiftshader',
);
