/** Own model: opened from disk, it says what the command line says; what cannot be opened, or does not fit, is told before it is loaded. */
import { appendFile, copyFile, cp, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page, Worker } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { bytesSource, openCheckpoint, readFloat32, writeSafetensors } from '../../src/clip/checkpoint/index.js';
import { encodePng } from '../../src/clip/image/index.js';
import { demoScene } from '../../src/demo/index.js';
import { openDevice, openModelDirectory } from '../../src/node/index.js';
import { ClipModel } from '../../src/ptdpc/index.js';
import { ptdpcJson, scratchPath, setUpProgram } from '../cli/program.js';
import { describeInBrowser } from '../support/browser.js';
import { violationsOf } from './axe.js';
import { setUpPage, withPage } from './page.js';

const DEMO = new URL('../../assets/demo-model', import.meta.url).pathname;
const CLASSES = ['joy', 'fear', 'rest'];

setUpProgram();
const built = setUpPage();
const address = (device = '') => `${built().url}${device && `?device=${device}`}#model`;

/** Probabilities of the picture, from features that the command line wrote. */
let expected: number[];

beforeAll(async () => {
  // The demonstration's weights in single precision: another file, so another model.
  await ptdpcJson(['convert', DEMO, '--dtype', 'f32', '--out', 'own', '--json']);
  const { data, width, height } = demoScene('awe', 3, { split: 'test' });
  await writeFile(scratchPath('scene.png'), encodePng(data, width, height));
  const embedded = ['embed', '--model', 'own', 'scene.png', '--out', 'features.safetensors', '--device', 'cpu'];
  await ptdpcJson([...embedded, '--no-cache', '--json']);
  const file = bytesSource('features.safetensors', await readFile(scratchPath('features.safetensors')));
  const projected = await readFloat32(await openCheckpoint(file), 'image_features');
  const features = projected.map((value) => value / Math.hypot(...projected));
  using device = await openDevice('cpu');
  await using directory = await openModelDirectory(scratchPath('own'));
  using clip = new ClipModel(device, directory);
  expected = Array.from((await clip.zeroShot(features, CLASSES)).probabilities);
});

/** Chooses a folder, as the file dialogue would. */
const choose = (page: Page, folder: string) => page.locator('#panel-model input[type=file]').setInputFiles(folder);
const load = (page: Page) => page.getByRole('button', { name: /^Load/ }).click();
const inUse = (page: Page, name: string) => page.getByRole('heading', { name: `The model in use: ${name}` }).waitFor();
const refused = async (page: Page): Promise<string> => {
  const error = page.locator('#panel-model .error[role=alert]');
  await error.waitFor();
  return error.innerText();
};
const engineOf = (page: Page): Worker => page.workers().find((worker) => /\/worker-/.test(worker.url()))!;

/** A folder like the own model's, with something changed. */
async function variation(name: string, change: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = scratchPath(name);
  await cp(scratchPath('own'), folder, { recursive: true });
  await change(folder);
  return folder;
}

/** What the page says of the picture, told apart by `CLASSES`. */
async function said(page: Page): Promise<number[]> {
  await page.getByRole('tab', { name: 'Predict' }).click();
  await page.getByLabel('Classes').fill(` ${CLASSES.join(' ,')},${CLASSES[0]}, `);
  await page.getByRole('button', { name: 'Classify by these' }).click();
  await page.locator('#panel-predict input[type=file][multiple]').setInputFiles(scratchPath('scene.png'));
  await page.locator('.answer .kicker', { hasText: 'scene.png' }).waitFor();
  await page.locator('.probabilities th', { hasText: CLASSES[0]! }).waitFor();
  const cells = page.locator('.probabilities [data-zero-shot]');
  await cells.first().waitFor();
  return cells.evaluateAll((all) => all.map((cell) => Number((cell as HTMLElement).dataset.zeroShot)));
}

function expectClose(found: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, probability] of expected.entries()) expect(Math.abs(found[i]! - probability)).toBeLessThan(1e-3);
}

/** The weights as two shards, named by an index. */
async function split(folder: string): Promise<void> {
  const whole = join(folder, 'model.safetensors');
  const checkpoint = await openCheckpoint(bytesSource('model.safetensors', await readFile(whole)));
  const names = [...checkpoint.names()];
  const weightMap: Record<string, string> = {};
  for (const part of [1, 2]) {
    const shard = `model-0000${part}-of-00002.safetensors`;
    const own = names.filter((_, i) => i % 2 === part - 1);
    const entries = own.map((name) => ({
      ...{ name, dtype: 'F32' as const, shape: checkpoint.shape(name) },
      read: async () => new Uint8Array((await readFloat32(checkpoint, name)).buffer),
    }));
    await writeSafetensors(entries, new Map(), (chunk) => appendFile(join(folder, shard), chunk));
    for (const name of own) weightMap[name] = shard;
  }
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
  await rm(whole);
}

describeInBrowser('Own model on the CPU', (browser) => {
  it('is opened from disk, says what the command line says, and is left again', () =>
    withPage(browser(), address(), async ({ page }) => {
      await inUse(page, 'demonstration');
      await choose(page, scratchPath('own'));
      const plan = await page.locator('.plan').innerText();
      expect(plan).toMatch(/model\.safetensors, 4\.8\sMiB, stored as F32/);
      await load(page);
      await inUse(page, 'own');
      expectClose(await said(page));
      // Prompts of the page's own model are no prompts of this one.
      expect(await page.locator('#panel-predict').innerText()).toContain('No prompts for this model yet');
      await page.getByRole('tab', { name: 'Own model' }).click();
      await page.getByRole('button', { name: 'Go back to the built-in model' }).click();
      await inUse(page, 'demonstration');
      await page.getByRole('tab', { name: 'Predict' }).click();
      await page.getByLabel('Prompts', { exact: true }).waitFor();
      await page.locator('.answer [data-tuned]').first().waitFor();
    }));

  it('may be in shards', () =>
    withPage(browser(), address(), async ({ page }) => {
      const folder = await variation('shards', split);
      await choose(page, folder);
      await page.locator('.plan').waitFor();
      expect(await page.locator('.plan').innerText()).toContain('2 shards');
      await load(page);
      await inUse(page, 'shards');
      expectClose(await said(page));
      await rm(join(folder, 'model-00002-of-00002.safetensors'));
      await page.getByRole('tab', { name: 'Own model' }).click();
      await choose(page, folder);
      expect(await refused(page)).toBe(
        'model.safetensors.index.json: it names model-00002-of-00002.safetensors, which is not in this folder',
      );
    }));

  it('is refused in one line where its folder is not as it should be', () =>
    withPage(browser(), address(), async ({ page }) => {
      await mkdir(scratchPath('holiday'));
      await copyFile(scratchPath('scene.png'), scratchPath('holiday/scene.png'));
      await mkdir(scratchPath('models'));
      await cp(scratchPath('own'), scratchPath('models/inner'), { recursive: true });
      for (const arch of ['AlexNet', 'ResNet101', 'BEiT'])
        await ptdpcJson(['random-model', '--arch', arch, '--small', '--out', `other-${arch}`, '--json']);
      await writeFile(scratchPath('other-BEiT/config.json'), '{"model_type":"beit"}');
      await mkdir(scratchPath('other-cut'));
      const whole = await readFile(scratchPath('other-AlexNet/model.safetensors'));
      await writeFile(scratchPath('other-cut/alexnet.safetensors'), whole.subarray(0, 5000));
      const encoder = (name: string) =>
        new RegExp(`^model\\.safetensors: ${name}, an image encoder without texts; this`);
      const cases: readonly (readonly [folder: string, line: RegExp])[] = [
        [scratchPath('holiday'), /^holiday: not a model folder, it has no config\.json$/],
        [scratchPath('models'), /it has no config\.json; there is one in inner: choose that folder$/],
        [
          await variation('no-words', (at) => rm(join(at, 'merges.txt'))),
          /^no-words: no merges\.txt or tokenizer\.json in this folder/,
        ],
        [await variation('no-weights', (at) => rm(join(at, 'model.safetensors'))), /^no-weights: no weights in this/],
        [await variation('cut', (at) => truncate(join(at, 'model.safetensors'), 3e6)), /^model\.safetensors: .*trunc/],
        [await variation('page', (at) => writeFile(join(at, 'model.safetensors'), '<html>')), /a web page, not a/],
        [
          await variation('config', (at) => writeFile(join(at, 'config.json'), '{"a":')),
          /^config\.json: not valid JSON/,
        ],
        [
          await variation('shapes', (at) =>
            writeFile(join(at, 'config.json'), '{"model_type":"clip","vision_config":{"image_size":64}}'),
          ),
          /^model\.safetensors: tensor .* should have shape/,
        ],
        ...['AlexNet', 'ResNet101', 'BEiT'].map((arch) => [scratchPath(`other-${arch}`), encoder(arch)] as const),
        [scratchPath('other-cut'), /^alexnet\.safetensors: /],
      ];
      for (const [folder, line] of cases) {
        await choose(page, folder);
        await page.locator('#panel-model .error[role=alert]', { hasText: line }).waitFor();
        expect(await refused(page)).toMatch(line);
        expect(await page.locator('.plan').count()).toBe(0);
      }
      await inUse(page, 'demonstration');
    }));

  it('leaves the present one in use where a file is gone by the time it is loaded', () =>
    withPage(browser(), address(), async ({ page }) => {
      const folder = await variation('fleeting', async () => {});
      await choose(page, folder);
      await page.locator('.plan').waitFor();
      await writeFile(join(folder, 'model.safetensors'), 'something else');
      await load(page);
      expect(await refused(page)).toMatch(/^model\.safetensors: cannot be read: /);
      await inUse(page, 'demonstration');
      await page.getByRole('tab', { name: 'Predict' }).click();
      await page.getByRole('button', { name: 'Draw other scenes' }).click();
      await page.locator('.answer [data-tuned]').first().waitFor();
    }));

  it('is refused before it is loaded where memory does not hold it', () =>
    withPage(browser(), address(), async ({ page }) => {
      await page.locator('.device p', { hasText: /^CPU/ }).waitFor();
      await engineOf(page).evaluate(() => {
        Object.defineProperty(navigator, 'deviceMemory', { value: 0.25 });
      });
      await choose(page, scratchPath('own'));
      expect(await refused(page)).toMatch(
        /^own: does not fit on CPU, .*: it takes 26\d(?:\.\d)? MiB, and this computer's memory is 256 MiB$/,
      );
      expect(await page.getByRole('button', { name: /^Load/ }).count()).toBe(0);
    }));

  it('is accessible before and after', () =>
    withPage(browser(), address(), async ({ page }) => {
      await inUse(page, 'demonstration');
      await choose(page, scratchPath('own'));
      await page.locator('.plan').waitFor();
      expect(await violationsOf(page)).toEqual([]);
      await load(page);
      await inUse(page, 'own');
      expect(await violationsOf(page)).toEqual([]);
      expectClose(await said(page));
      expect(await violationsOf(page)).toEqual([]);
    }));
});

describeInBrowser(
  'Own model on WebGPU',
  (browser) => {
    it('says what the command line says', () =>
      withPage(browser(), address('webgpu'), async ({ page }) => {
        await choose(page, scratchPath('own'));
        await page.locator('.plan').waitFor();
        expect(await page.locator('.plan').innerText()).toMatch(/WebGPU, swiftshader/);
        await load(page);
        await inUse(page, 'own');
        expectClose(await said(page));
      }));

    it('is refused before it is loaded where a limit of the adapter is below its largest tensor', () =>
      withPage(browser(), address('cpu'), async ({ page }) => {
        await page.locator('.device p', { hasText: /^CPU/ }).waitFor();
        await engineOf(page).evaluate(() => {
          const real = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, 'limits')!.get!;
          Object.defineProperty(GPUAdapter.prototype, 'limits', {
            get(this: GPUAdapter) {
              const limits = real.call(this) as GPUSupportedLimits;
              const all: Record<string, unknown> = {};
              for (const key in limits) all[key] = Reflect.get(limits, key);
              return { ...all, maxStorageBufferBindingSize: 100_000 };
            },
          });
        });
        await choose(page, scratchPath('own'));
        await page.getByRole('button', { name: /^Load/ }).waitFor();
        // Asked anew where another device is chosen.
        await page.getByLabel('Device').selectOption('webgpu');
        expect(await refused(page)).toMatch(
          /^own: does not fit on WebGPU, .*: \S+\.weight takes 0\.\d MiB in one piece, and its maxStorageBufferBindingSize is 0\.1 MiB$/,
        );
        expect(await page.getByRole('button', { name: /^Load/ }).count()).toBe(0);
        await page.getByLabel('Device').selectOption('cpu');
        await load(page);
        await inUse(page, 'own');
      }));
  },
  'swiftshader',
);
