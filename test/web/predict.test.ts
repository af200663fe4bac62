/** Predict: the page says of a picture what the command line says. */
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/clip/checkpoint/index.js';
import { encodePng } from '../../src/clip/image/index.js';
import { demoScene, type Emotion } from '../../src/demo/index.js';
import { contextOptions } from '../../src/learners/index.js';
import { openDevice, openModelDirectory } from '../../src/node/index.js';
import { ClipModel } from '../../src/ptdpc/index.js';
import { decodePrompts, encodePrompts } from '../../src/ptdpc/prompts-file.js';
import { fixture, ptdpcJson, scratchPath, setUpProgram } from '../cli/program.js';
import { describeInBrowser } from '../support/browser.js';
import { violationsOf } from './axe.js';
import { probabilitiesOf, setUpPage, withPage } from './page.js';

const ROOT = new URL('../..', import.meta.url).pathname;
const MODEL = `${ROOT}assets/demo-model`;
const PROMPTS = `${ROOT}web/assets/demo-prompts.safetensors`;

/** Of every kind that is decoded in a way of its own. */
const PICTURES = [
  'j0_640x427_RGB.jpg',
  'j3_400x300_L.jpg',
  'j4_400x300_CMYK.jpg',
  '09_300x451_RGBA.png',
  '10_260x300_P.png',
  '06_17x400_RGB.png',
  'small/webp-lossy-alpha.webp',
  'small/gif-palette.gif',
] as const;

interface PredictJson {
  predictions: { path: string; probabilities: Record<string, number> }[];
}

const largestDifference = (a: Record<string, number>, b: Record<string, number>): number => {
  expect(Object.keys(a)).toEqual(Object.keys(b));
  return Math.max(...Object.keys(a).map((word) => Math.abs(a[word]! - b[word]!)));
};

setUpProgram();
const built = setUpPage();
let pictures: string[];
let expected: Map<string, Record<string, number>>;

beforeAll(async () => {
  await mkdir(scratchPath('pictures'));
  for (const name of PICTURES) await copyFile(fixture(`preprocess/${name}`), scratchPath(`pictures/${basename(name)}`));
  const { data, width, height } = demoScene('fear', 0, { split: 'test' });
  await writeFile(scratchPath('pictures/scene.png'), encodePng(data, width, height));
  pictures = [...PICTURES, 'scene.png'].map((name) => scratchPath(`pictures/${basename(name)}`));
  const args = ['predict', '--run', PROMPTS, '--model', MODEL, '--device', 'cpu', 'pictures'];
  const { predictions } = await ptdpcJson<PredictJson>(args);
  expected = new Map(predictions.map(({ path, probabilities }) => [basename(path), probabilities]));
  expect(expected.size).toBe(PICTURES.length + 1);
});

/** Puts the pictures into the page and compares what it says of each. */
async function comparePictures(page: Page): Promise<void> {
  await page.getByLabel('Prompts', { exact: true }).selectOption({ index: 0 });
  await page.locator('input[type=file][multiple]').setInputFiles(pictures);
  for (const path of pictures) {
    const name = basename(path);
    await page.locator('.gallery button', { hasText: name }).click();
    const said = await probabilitiesOf(page, name);
    expect(largestDifference(said, expected.get(name)!), name).toBeLessThan(1e-3);
  }
}

describe('the prompts that the page brings along', () => {
  it('are read by the command line, and are of its own model', async () => {
    const noise = PROMPTS.replace('.safetensors', '-noise.safetensors');
    for (const run of [PROMPTS, noise]) {
      const { predictions } = await ptdpcJson<PredictJson>([
        ...['predict', '--run', run, '--model', MODEL, '--device', 'cpu'],
        scratchPath('pictures/scene.png'),
      ]);
      expect(predictions).toHaveLength(1);
    }
    expect(await readFile(noise)).not.toEqual(await readFile(PROMPTS));
  });
});

describeInBrowser('Predict without WebGPU', (browser) => {
  it('gives the probabilities of the command line, on threads', () =>
    withPage(browser(), built().url, async ({ page }) => {
      await comparePictures(page);
      expect(await page.locator('.device p').innerText()).toMatch(/^CPU, WebAssembly SIMD.*\(no WebGPU adapter\)$/);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    }));

  it('says what it is, leads on, and cuts off nothing, on the screen or on paper', () =>
    withPage(browser(), built().url, async ({ page }) => {
      await probabilitiesOf(page, 'scene 1');
      await page.getByRole('img', { name: 'How PT-DPC classifies a picture' }).waitFor();
      expect(await page.locator('#prompts-meaning').innerText()).toContain('Noise: random numbers');
      await page.locator('.answer figure svg').waitFor();
      await page.setViewportSize({ width: 390, height: 844 });
      for (const tab of await page.getByRole('tab').all()) {
        const { x, width } = (await tab.boundingBox())!;
        expect(x + width).toBeLessThanOrEqual(390);
      }
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.emulateMedia({ media: 'print' });
      const { scrolls, heights } = await page.locator('.answer').evaluate((answer) => ({
        scrolls: getComputedStyle(answer).overflowY,
        heights: answer.scrollHeight - answer.clientHeight,
      }));
      expect([scrolls, heights]).toEqual(['visible', 0]);
      await page.emulateMedia({ media: 'screen' });
      await page.getByRole('link', { name: 'Tune the words' }).click();
      await page.getByRole('tab', { name: 'Tune', selected: true }).waitFor();
      await page.getByRole('tab', { name: 'Predict' }).click();
      await page.getByRole('link', { name: 'Try a scene' }).click();
      expect(await page.locator('#scenes').evaluate((scenes) => scenes.getBoundingClientRect().top)).toBeLessThan(400);
      expect(await page.locator('.top .links a').allInnerTexts()).toContain('Paper (Deng et al., 2022)');
    }));

  it('lets no text become markup: the built page asks for Trusted Types', async () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(
      await readFile(`${built().folder}/index.html`, 'utf8'),
    )?.[1];
    expect(policy?.replaceAll('&#39;', "'")).toContain("require-trusted-types-for 'script'");
    const { headers } = await fetch(built().url);
    expect(headers.get('content-security-policy') ?? policy).toContain('trusted-types');
  });

  it('does not show a choice of WebGPU beside the CPU, whether it comes from the address or from the list', () =>
    withPage(browser(), `${built().url}?device=webgpu`, async ({ page }) => {
      const device = page.getByLabel('Device', { exact: true });
      await page.locator('.device p', { hasText: /^CPU/ }).waitFor();
      expect(await device.inputValue()).toBe('auto');
      const refused = page.getByText(/no WebGPU adapter|WebGPU is not available/);
      expect(await refused.count()).toBeGreaterThan(0);
      await device.selectOption('cpu');
      await page.waitForURL(/device=cpu/);
      await device.selectOption('webgpu');
      await page.waitForFunction(() => document.querySelector<HTMLSelectElement>('.device select')?.value === 'cpu');
      expect(await page.locator('.device p').innerText()).toMatch(/^CPU/);
    }));

  it('shows the most probable classes of prompts that have thousands', () =>
    withPage(browser(), built().url, async ({ page }) => {
      const demo = await decodePrompts(bytesSource(PROMPTS, await readFile(PROMPTS)));
      const [, tokens = 0, width = 0] = demo.shape;
      const buffer = await encodePrompts({
        ...demo,
        options: { ...demo.options, mode: 'none' },
        classes: Array.from({ length: 3000 }, (_, i) => ({ folder: `${i}`, word: `c ${i}` })),
        shape: [1, tokens, width],
        prompts: demo.prompts.subarray(0, tokens * width),
      });
      await probabilitiesOf(page, 'scene 1');
      const file = { name: 'many.safetensors', mimeType: 'application/octet-stream', buffer: Buffer.from(buffer) };
      await page.locator('input[accept=".safetensors"]').first().setInputFiles(file);
      await page.getByText(/The 100 most probable of 3.000 classes/).waitFor();
      const said = Object.values(await probabilitiesOf(page, 'scene 1'));
      expect(said.length).toBe(100);
      expect(said).toEqual(said.toSorted((a, b) => b - a));
    }));

  it.each([
    ['coop', 'CoOp, 3 tokens, 1 epoch', 'its prompts are the same for every picture'],
    ['cocoop', 'CoCoOp, “a photo of a”, 1 epoch', 'a network shifts its learned tokens by the picture'],
  ] as const)('takes prompts of another learner: %s', async (learner, title, why) => {
    using device = await openDevice('cpu');
    await using directory = await openModelDirectory(MODEL);
    using clip = new ClipModel(device, directory);
    const scene = (emotion: Emotion, seed = 0) => ({
      ...demoScene(emotion, 0, { split: 'test', seed }),
      mode: 'RGB' as const,
    });
    const classes = ['awe', 'fear', 'sadness'] as const;
    const train = { features: await clip.embedImages(classes.map((emotion) => scene(emotion, 1))), labels: [0, 1, 2] };
    const options = learner === 'coop' ? { context: 3, epochs: 1 } : { epochs: 1 };
    const labels = Int32Array.from(train.labels);
    using tuned = await clip.tune({
      classes,
      train: { ...train, labels },
      options: contextOptions(learner, { ...options, learningRate: 0.1, batchSize: 3 }),
    });
    const buffer = Buffer.from(await tuned.save());
    const { probabilities } = await tuned.predict(await clip.embedImages([scene('amusement')]));
    await withPage(browser(), built().url, async ({ page }) => {
      await probabilitiesOf(page, 'scene 1');
      const file = { name: 'other.safetensors', mimeType: 'application/octet-stream', buffer };
      await page.locator('input[accept=".safetensors"]').first().setInputFiles(file);
      await page.getByText(`has no weights: ${why}`).waitFor();
      const chosen = page.getByLabel('Prompts', { exact: true }).locator('option:checked');
      expect(await chosen.textContent()).toContain(title);
      const said = await probabilitiesOf(page, 'scene 1');
      classes.forEach((word, i) => {
        expect(Math.abs(said[word]! - probabilities[i]!), word).toBeLessThan(1e-3);
      });
      await page.getByRole('tab', { name: 'How it works' }).click();
      await page.locator('#panel-how').getByText('which composes no prompt for each picture').waitFor();
      expect(await violationsOf(page)).toEqual([]);
    });
  });

  it('draws the weights of few of many classes, and says so', () =>
    withPage(browser(), built().url, async ({ page }) => {
      const demo = await decodePrompts(bytesSource(PROMPTS, await readFile(PROMPTS)));
      const [, tokens = 0, width = 0] = demo.shape;
      const count = 200;
      const one = demo.prompts.subarray(0, tokens * width);
      const prompts = Float32Array.from({ length: count * one.length }, (_, i) => one[i % one.length]!);
      const classes = Array.from({ length: count }, (_, i) => ({ folder: `${i}`, word: `c ${i}` }));
      const options = { ...demo.options, mode: 'both' as const };
      const buffer = await encodePrompts({ ...demo, options, classes, shape: [count, tokens, width], prompts });
      await probabilitiesOf(page, 'scene 1');
      const file = { name: 'many.safetensors', mimeType: 'application/octet-stream', buffer: Buffer.from(buffer) };
      await page.locator('input[accept=".safetensors"]').first().setInputFiles(file);
      await page.getByText(/Drawn: the first 24 of 200 classes. The numbers are of the first 100./).waitFor();
      // A cell, or little else: of all classes there would be thousands.
      const map = page.locator('[role=img][aria-label^="Weights of"]');
      await map.locator('svg').first().waitFor({ state: 'attached', timeout: 60_000 });
      expect(await map.locator('path, rect').count()).toBeLessThan(2 * 24 * (tokens + 2));
    }));

  it('says of a file that is no picture why, and reads the others', () =>
    withPage(browser(), built().url, async ({ page }) => {
      const files = [
        { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture') },
        { name: 'scene.png', mimeType: 'image/png', buffer: await readFile(scratchPath('pictures/scene.png')) },
      ];
      await page.getByLabel('Prompts', { exact: true }).selectOption({ index: 0 });
      await page.locator('input[type=file][multiple]').setInputFiles(files);
      await page.locator('.answer .error').waitFor();
      expect(await page.locator('.answer .error').innerText()).toMatch(/^notes.png: expected a JPEG.* image/);
      await page.locator('.gallery button', { hasText: 'scene.png' }).click();
      const said = await probabilitiesOf(page, 'scene.png');
      expect(largestDifference(said, expected.get('scene.png')!)).toBeLessThan(1e-3);
      // The one before, which the browser could not show, does not hide it.
      await page.locator('.answer img.picture').waitFor();
    }));
});

describeInBrowser(
  'Predict on WebGPU',
  (browser) => {
    it('gives the probabilities of the command line', () =>
      withPage(browser(), `${built().url}?device=webgpu`, async ({ page }) => {
        await comparePictures(page);
        expect(await page.locator('.device p').innerText()).toMatch(/^WebGPU, swiftshader/);
      }));

    it('is what the choice of a device changes, and nothing else', () =>
      withPage(browser(), built().url, async ({ page }) => {
        const before = await probabilitiesOf(page, 'scene 1');
        expect(await page.locator('.device p').innerText()).toMatch(/^CPU, .* software/);
        await page.getByLabel('Device').selectOption('webgpu');
        await page.locator('.device p', { hasText: /^WebGPU/ }).waitFor();
        expect(largestDifference(await probabilitiesOf(page, 'scene 1'), before)).toBeLessThan(1e-3);
        expect(new URL(page.url()).searchParams.get('device')).toBe('webgpu');
      }));
  },
  'swiftshader',
);
