/** Laboratory: what the page says of right, wrong and faulty kernels. */

import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { allKernels, kernelNamed } from '../../src/kernels/index.js';
import { starterText } from '../../src/lab/index.js';
import { describeInBrowser } from '../support/browser.js';
import { violationsOf } from './axe.js';
import { setUpPage, withPage } from './page.js';

const built = setUpPage();
const laboratory = () => `${built().url}#laboratory`;

const SOFTMAX = starterText(kernelNamed('softmax'));
/** Every sum is a half too large for each element. */
const WRONG = SOFTMAX.replace('sum += exp(', 'sum += 0.5 + exp(');
const FAULTY = SOFTMAX.replace('var sum = 0.0;', 'var sum: u32 = 0.0;');

async function choose(page: Page, kernel: string): Promise<void> {
  await page.getByLabel('Kernel', { exact: true }).selectOption(kernel);
  await page.getByRole('textbox', { name: `WGSL of ${kernel}` }).waitFor();
}

async function put(page: Page, text: string): Promise<void> {
  await page.locator('input[accept=".wgsl"]').setInputFiles({
    name: 'mine.wgsl',
    mimeType: 'text/plain',
    buffer: Buffer.from(text),
  });
}

const run = (page: Page) => page.getByRole('button', { name: 'Run', exact: true }).click();
/** A suite of a hundred cases takes its time on a software adapter. */
const verdict = (page: Page, text: string | RegExp) => page.locator('#lab-verdict', { hasText: text }).waitFor();
/** Of the editor, which lives in a shadow root. */
const inEditor = (page: Page, selector: string) => page.locator(`.editor ${selector}`);

describeInBrowser(
  'Laboratory',
  (browser) => {
    it('times a right kernel beside the shipped variants', () =>
      withPage(browser(), laboratory(), async ({ page }) => {
        await choose(page, 'attention');
        await page.getByLabel('Start again from').selectOption('rows');
        await page.getByRole('button', { name: 'Load this version' }).click();
        const sizes = 'sequences=2,prefix=5,suffixes=2,suffix=2,heads=1,headWidth=64';
        await page.getByLabel('Sizes to time', { exact: true }).fill(sizes);
        await inEditor(page, '.cm-line').filter({ hasText: '`rows`' }).waitFor();
        await run(page);
        await verdict(page, /^Right on \d+ cases$/);
        const rows = page.getByRole('region', { name: `Times of attention ${sizes}` }).locator('tbody tr');
        const names = await rows.locator('th').allInnerTexts();
        expect(names.map((name) => name.trim())).toEqual(expect.arrayContaining(['workgroup', 'rows', 'yours']));
        for (const cells of await rows.locator('td:not(:nth-child(4))').allInnerTexts())
          expect(Number.parseFloat(cells)).toBeGreaterThan(0);
        expect(await page.locator('.lab-result').innerText()).toMatch(
          /(?:Faster than|Slower than|Not distinguishable from) \w+: \d+\.\d\d times as fast, /,
        );
      }));

    it('shows where a wrong kernel is wrong, and where a faulty one does not compile', () =>
      withPage(browser(), laboratory(), async ({ page }) => {
        await choose(page, 'softmax');
        await put(page, WRONG);
        await run(page);
        // Without those whose NaN SwiftShader loses with the shipped variant too; a row of nothing but NaN is right.
        await verdict(page, 'Wrong on 44 of 45 cases');
        // One element: its softmax is 1, and e^0 / (e^0 + 1/2) is what this makes of it.
        expect(await page.locator('.worst').first().innerText()).toMatch(/^out\[0, 0\] is 0\.66666\d*, expected 1$/);
        expect(await page.locator('.lab-result').innerText()).toContain('Not timed: it is wrong.');

        await put(page, FAULTY);
        await run(page);
        await verdict(page, 'Does not compile: 1 error');
        // What compilers write over several lines stays so.
        const said = page.locator('.messages .said').first();
        await said.evaluate((element) => {
          element.textContent = 'one\ntwo';
        });
        expect(await said.innerText()).toBe('one\ntwo');
        const line = FAULTY.split('\n').findIndex((text) => text.includes('var sum: u32')) + 1;
        expect(await page.locator('.messages').innerText()).toContain(`line ${line}, column`);
        const marker = await inEditor(page, '.cm-lint-marker-error').boundingBox();
        const number = await inEditor(page, '.cm-lineNumbers .cm-gutterElement')
          .filter({ hasText: new RegExp(`^${line}$`) })
          .boundingBox();
        expect(Math.abs(marker!.y - number!.y)).toBeLessThan(number!.height);
        await page.getByRole('button', { name: `line ${line}, column` }).click();
        expect(await inEditor(page, '.cm-activeLine').innerText()).toContain('var sum: u32');
      }));

    it('judges the sizes that are timed too', () =>
      withPage(browser(), laboratory(), async ({ page }) => {
        await choose(page, 'affine');
        const value = 'out[at] = select(value, 0.0, params.length > 9999u);';
        await put(page, starterText(kernelNamed('affine')).replace('out[at] = value;', value));
        await page.getByLabel('Sizes to time', { exact: true }).fill('length=10000');
        await run(page);
        await verdict(page, /^Wrong on the sizes to time, right on \d+ cases$/);
        const said = await page.locator('.lab-result').innerText();
        expect(said).toContain('yours, held against the definition in float64: affine length=10000');
        expect(said).toContain('Not timed: it is wrong on the case that is timed.');
      }));

    it('says what the contract has where a text does not keep it, and refuses sizes that a kernel lacks', () =>
      withPage(browser(), laboratory(), async ({ page }) => {
        await choose(page, 'softmax');
        await put(page, SOFTMAX.replaceAll(/\bout\b/g, 'result'));
        await run(page);
        const error = page.locator('.lab-result .error[role=alert]');
        await error.waitFor();
        expect(await error.innerText()).toMatch(/^yours: it binds result; softmax has x, out/);
        await put(page, SOFTMAX);
        await page.getByLabel('Sizes to time', { exact: true }).fill('depth=3');
        await run(page);
        await error.filter({ hasText: 'depth=3: softmax has the sizes rows, columns' }).waitFor();
      }));

    it('has no verdict of the text before on a text that it refuses', () =>
      withPage(browser(), laboratory(), async ({ page }) => {
        await choose(page, 'softmax');
        await page.getByLabel('Sizes to time', { exact: true }).fill('rows=2,columns=3');
        await put(page, SOFTMAX);
        await run(page);
        await verdict(page, /^Right/);
        await put(page, '');
        await run(page);
        await page.locator('.lab-result .error[role=alert]').waitFor();
        expect(await page.locator('#lab-verdict').count()).toBe(0);
      }));

    it('runs when the typing pauses, and keeps a text for the next visit', () =>
      withPage(browser(), laboratory(), async ({ page }) => {
        await choose(page, 'affine');
        await page.getByLabel('Sizes to time', { exact: true }).fill('length=64');
        await page.getByLabel('Run as I type').check();
        await verdict(page, /^Right/);
        const editor = page.getByRole('textbox', { name: 'WGSL of affine' });
        await editor.focus();
        await page.keyboard.press('Control+End');
        await page.keyboard.type('fn broken() -> f32 {{}');
        await verdict(page, /^Does not compile/);
        // A keyboard gets out of the editor.
        await page.keyboard.press('Tab');
        expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Open a .wgsl file');
        await page.reload();
        await page.getByRole('textbox', { name: 'WGSL of affine' }).focus();
        await page.keyboard.press('Control+End');
        await inEditor(page, '.cm-activeLine').filter({ hasText: 'fn broken()' }).waitFor();
        const download = page.waitForEvent('download');
        await page.getByRole('button', { name: 'Save as affine.wgsl' }).click();
        expect(await readFile(await (await download).path(), 'utf8')).toContain('fn broken()');
      }));

    it('stops when it is told to', () =>
      withPage(browser(), laboratory(), async ({ page }) => {
        await choose(page, 'matmul');
        await page.getByLabel('Sizes to time', { exact: true }).fill('m=16,n=16,k=8');
        await run(page);
        await page.locator('.lab-result [role=status]', { hasText: 'comparing with the twin' }).waitFor();
        await page.locator('.lab-result').getByRole('button', { name: 'Stop' }).click();
        await page.locator('.lab-result progress').waitFor({ state: 'detached' });
        expect(await page.locator('#lab-verdict').count()).toBe(0);
        await run(page);
        await verdict(page, /^Right/);
      }));

    it('certifies the device, and gives the certificate as two files', () =>
      withPage(browser(), laboratory(), async ({ page }) => {
        await choose(page, 'softmax');
        const section = page.getByRole('region', { name: 'Certify this device' });
        const start = section.getByRole('button', { name: 'Certify this device' });
        await start.click();
        await section.locator('progress').waitFor();
        await section.getByRole('button', { name: 'Stop' }).click();
        await section.locator('progress').waitFor({ state: 'detached' });
        expect(await section.locator('.certified').count()).toBe(0);
        // All kernels take SwiftShader minutes.
        await section.getByLabel('softmax only').check();
        await start.click();
        await section.locator('.certified', { hasText: /^Right on \d+ cases$/ }).waitFor();
        expect(await violationsOf(page)).toEqual([]);
        const files: string[] = [];
        for (const name of ['certificate.json', 'certificate.html']) {
          const download = page.waitForEvent('download');
          await section.getByRole('button', { name: `Save ${name}` }).click();
          expect((await download).suggestedFilename()).toBe(name);
          files.push(await readFile(await (await download).path(), 'utf8'));
        }
        const [json = '', html] = files;
        expect(JSON.parse(json)).toMatchObject({
          right: true,
          kernelsLeftOut: allKernels().length - 1,
          device: { kind: 'webgpu' },
        });
        expect(html).toContain('Right: nothing failed.');
      }));

    it('says that a device gives no answer, and goes on with another', () =>
      withPage(browser(), laboratory(), async ({ page }) => {
        await choose(page, 'softmax');
        await put(page, SOFTMAX);
        await page.getByLabel('Sizes to time', { exact: true }).fill('rows=4,columns=8');
        await page.evaluate(() => {
          // The next trial gets lost, as in a kernel that does not end.
          const { postMessage } = Worker.prototype;
          Worker.prototype.postMessage = function (this: Worker, message: { task?: string }, ...rest: []) {
            if (message.task === 'lab-try') Worker.prototype.postMessage = postMessage;
            else postMessage.call(this, message, ...rest);
          } as typeof postMessage;
        });
        await page.clock.install();
        await run(page);
        const progress = page.locator('.lab-result progress');
        await progress.waitFor();
        await page.clock.fastForward(50_000);
        expect(await progress.count()).toBe(1);
        await page.clock.fastForward(11_000);
        await page.getByText(/^no answer from the device for 60 seconds.* a loop in the kernel may not end/).waitFor();
        await run(page);
        await verdict(page, /^Right/);
      }));

    it('is accessible with a verdict on show', () =>
      withPage(browser(), laboratory(), async ({ page }) => {
        await choose(page, 'softmax');
        await put(page, WRONG);
        await run(page);
        await verdict(page, /^Wrong/);
        expect(await violationsOf(page)).toEqual([]);
        await put(page, SOFTMAX);
        await run(page);
        await verdict(page, /^Right/);
        expect(await violationsOf(page)).toEqual([]);
        await put(page, FAULTY);
        await run(page);
        await verdict(page, /^Does not compile/);
        expect(await violationsOf(page)).toEqual([]);
      }));
  },
  'swiftshader',
);

describeInBrowser('Laboratory without WebGPU', (browser) => {
  it('says that it needs it, and shows kernels all the same', () =>
    withPage(browser(), laboratory(), async ({ page }) => {
      await choose(page, 'layerNorm');
      expect(await page.locator('.notice').innerText()).toMatch(/^The laboratory needs WebGPU: /);
      expect(await page.getByRole('button', { name: 'Run', exact: true }).isDisabled()).toBe(true);
      await inEditor(page, '.cm-line').filter({ hasText: 'layerNorm: out' }).waitFor();
      await page.getByRole('region', { name: 'Shapes of layerNorm in embedding and training' }).waitFor();
      expect(await violationsOf(page)).toEqual([]);
    }));
});
