/** Stepping through kernels on the page: what is shown is the recorded run, by buttons, keys and clicks, without any device. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { CpuBackend, type KernelOutput, runCase } from '../../src/kernels/index.js';
import { STEPPED, steppedCase, steppedNamed, traceSteps } from '../../src/lab/index.js';
import { describeInBrowser } from '../support/browser.js';
import { violationsOf } from './axe.js';
import { setUpPage, withPage } from './page.js';

const built = setUpPage();
const laboratory = () => `${built().url}#laboratory`;

async function choose(page: Page, name: string): Promise<void> {
  await page.locator('#lab-steps').scrollIntoViewIfNeeded();
  await page.locator('#step-kernel').selectOption(name);
  await page.getByRole('region', { name: `Steps of ${name}` }).waitFor();
}

const goTo = (page: Page, step: number) => page.getByRole('slider', { name: 'Step', exact: true }).fill(String(step));
const said = (page: Page) => page.locator('.step-said').innerText();
/** As the page writes them. */
const numberIn = (text: string) => Number(text.replace('\u2212', '-'));

async function twin(name: string): Promise<KernelOutput[]> {
  return await runCase(new CpuBackend({ precision: 'f64', poison: true }), steppedCase(steppedNamed(name)!));
}

for (const gpu of ['none', 'swiftshader'] as const) {
  describeInBrowser(
    `Stepping through kernels, WebGPU: ${gpu}`,
    (browser) => {
      it.each(STEPPED.map(({ name }) => name))('%s: stores what the twin computes, on lines of the text', (name) =>
        withPage(browser(), laboratory(), async ({ page }) => {
          await choose(page, name);
          const { steps, text } = await traceSteps(steppedNamed(name)!);
          const out = (await twin(name)).find((one) => one.name === 'out')!;
          const lane = 3;
          await page.locator('#step-lane').selectOption(String(lane));
          const stores = steps.flatMap((step, i) =>
            step.kind === 'store' && step.name === 'out' && step.lanes[lane] ? [{ i, ...step.lanes[lane] }] : [],
          );
          expect(stores.length).toBeGreaterThan(0);
          for (const { i, at } of [stores[0]!, stores.at(-1)!]) {
            await goTo(page, i);
            const [, value = '', row, column] =
              /^Lane 3 stores (\S+) to out\[(\d+), (\d+)\]\./.exec(await said(page)) ?? [];
            expect(Number(row) * out.shape.at(-1)! + Number(column)).toBe(at);
            expect(numberIn(value)).toBeCloseTo(out.values[at]!, 3);
            const line = await page.locator('.step-text .current').innerText();
            expect(line.replace('▶', '').trim()).toBe(text.split('\n')[steps[i]!.lines[0]! - 1]!.trim());
          }
          const { counts } = steps.at(-1)!;
          await goTo(page, steps.length - 1);
          expect(await page.locator('.step-counts').innerText()).toContain(String(counts.loads));
        }),
      );
    },
    gpu,
  );
}

describeInBrowser('Stepping through kernels', (browser) => {
  it('goes by keys, by buttons and by itself, and stops at the end', () =>
    withPage(browser(), laboratory(), async ({ page }) => {
      await choose(page, 'matmul, naive');
      const place = page.locator('.step-controls output');
      await page.getByRole('button', { name: 'Step', exact: true }).click();
      expect(await place.innerText()).toBe('2 of 25');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      expect(await place.innerText()).toBe('4 of 25');
      await page.keyboard.press('ArrowLeft');
      await page.getByRole('button', { name: 'Back', exact: true }).click();
      expect(await place.innerText()).toBe('2 of 25');
      await page.getByLabel('Steps a second').selectOption('16');
      await goTo(page, 20);
      // While it runs by itself, nothing is read out.
      await page.getByRole('region', { name: 'WGSL of matmul, naive' }).focus();
      await page.keyboard.press(' ');
      await page.locator('.step-said[aria-live=off]').waitFor();
      await place.filter({ hasText: '25 of 25' }).waitFor();
      await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
      expect(await page.locator('.step-said').getAttribute('aria-live')).toBe('polite');
      expect(await page.getByRole('button', { name: 'Step', exact: true }).isDisabled()).toBe(true);
    }));

  it('watches the lane of a cell that is clicked, in whichever workgroup', () =>
    withPage(browser(), laboratory(), async ({ page }) => {
      await choose(page, 'matmul, naive');
      await goTo(page, 24);
      // Row 6, column 9 of 16: in the second row of workgroups, the third of them.
      const out = page.locator('.grid-out svg');
      const { width, height } = (await out.boundingBox())!;
      await out.click({ position: { x: (9.5 / 16) * width, y: (6.5 / 16) * height } });
      await page.locator('.step-said', { hasText: 'to out[6, 9].' }).waitFor();
      expect(await page.locator('#step-lane').inputValue()).toBe('9');
      expect(await page.locator('#step-group').locator('option:checked').innerText()).toBe('2, 1');
    }));

  it('shows workgroup memory filling, the gate, and the conflicts of a store', () =>
    withPage(browser(), laboratory(), async ({ page }) => {
      await choose(page, 'matmul, tiled');
      const { steps } = await traceSteps(steppedNamed('matmul, tiled')!);
      const filled = page.locator('.grid-a_tile').locator('.seen, .now');
      await goTo(page, 1);
      expect(await filled.count()).toBe(16);
      expect(await said(page)).toContain('in 4 cycles, since places share banks');
      const barrier = steps.findIndex(({ kind }) => kind === 'barrier');
      await goTo(page, barrier - 1);
      expect(await page.locator('.gate.closed').count()).toBe(0);
      await goTo(page, barrier);
      expect(await filled.count()).toBe(64);
      expect(await page.locator('.gate.closed').count()).toBe(1);
      expect(await said(page)).toMatch(/^Barrier: each of the 16 lanes waits/);
    }));

  for (const width of [1280, 390]) {
    it(`is accessible, ${width} pixels wide`, () =>
      withPage(
        browser(),
        laboratory(),
        async ({ page }) => {
          for (const { name } of STEPPED) {
            await choose(page, name);
            await goTo(page, 20);
            expect(await violationsOf(page), name).toEqual([]);
            expect(await page.evaluate('document.documentElement.scrollWidth'), name).toBe(width);
          }
        },
        { viewport: { width, height: 844 } },
      ));
  }
});
