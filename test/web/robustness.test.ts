/** What befalls a page: a lost device, no network, a server that sends no headers, a reader who sees or points differently. */
import type { Server } from 'node:http';
import type { Page, Worker } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeInBrowser } from '../support/browser.js';
import { violationsOf } from './axe.js';
import { probabilitiesOf, setUpPage, withPage } from './page.js';
import { servePlainly } from './plain-server.js';

const built = setUpPage();

/** Once its files are kept, and whoever answers for them is in charge of this page. */
const kept = (page: Page) =>
  page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller) return;
    await new Promise((resolve) =>
      navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
    );
  });

const difference = (a: Record<string, number>, b: Record<string, number>) =>
  Math.max(...Object.keys(a).map((word) => Math.abs(a[word]! - b[word]!)));

const engineOf = (page: Page) => page.workers().find((worker) => /\/worker-/.test(worker.url()))!;

/** From now on the engine's last device can be lost. */
const keepDevices = (engine: Worker) =>
  engine.evaluate(() => {
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (descriptor) {
      const device = await requestDevice.call(this, descriptor);
      Object.assign(globalThis, { lastDevice: device });
      return device;
    };
  });

const loseDevice = (engine: Worker) =>
  engine.evaluate(() => (globalThis as unknown as { lastDevice: GPUDevice }).lastDevice.destroy());

describeInBrowser(
  'a lost device',
  (browser) => {
    it('is said, and the work is done on a new one', () =>
      withPage(browser(), `${built().url}?device=cpu`, async ({ page }) => {
        const before = await probabilitiesOf(page, 'scene 1');
        const engine = engineOf(page);
        await keepDevices(engine);
        await page.getByLabel('Device').selectOption('webgpu');
        await page.locator('.device p', { hasText: /^WebGPU/ }).waitFor();
        expect(difference(await probabilitiesOf(page, 'scene 1'), before)).toBeLessThan(1e-3);

        await loseDevice(engine);
        await page.getByRole('button', { name: 'Draw other scenes' }).click();
        const notice = page.locator('main > [role=alert]');
        await notice
          .getByText(/^WebGPU lost its device on swiftshader .* opened again, and the work repeated\.$/)
          .waitFor();
        const after = await probabilitiesOf(page, 'scene 2');
        expect(Object.values(after).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
        expect(await page.locator('.device p').innerText()).toMatch(/^WebGPU, swiftshader/);
        await page.getByRole('button', { name: 'Dismiss' }).click();
        expect(await notice.innerText()).toBe('');
      }));

    it('costs a tuning no more than the epoch in which it was lost', () =>
      withPage(browser(), `${built().url}?device=cpu#tune`, async ({ page }) => {
        // The pictures are looked at on the CPU, which is the faster one here: their features outlive it.
        const panel = page.locator('#panel-tune');
        await panel.getByLabel('Scenes per emotion').fill('2');
        await panel.getByRole('button', { name: 'Evaluate' }).click();
        await panel.getByText(/^done, /).waitFor();
        await keepDevices(engineOf(page));
        await page.getByLabel('Device').selectOption('webgpu');
        await page.locator('.device p', { hasText: /^WebGPU/ }).waitFor();
        // The cheapest mode: a software adapter has enough to do.
        await panel.getByLabel('both:').uncheck();
        await panel.getByLabel('none:').check();
        await panel.getByText('More settings').click();
        await panel.getByLabel('Epochs', { exact: true }).fill('40');
        await panel.getByRole('button', { name: 'Tune', exact: true }).click();
        await panel.getByText(/, \d+ of 40 epochs/).waitFor();
        await loseDevice(engineOf(page));
        await page.getByText(/^WebGPU lost its device/).waitFor();
        await panel.getByText(/^done, 40 of 40 epochs/).waitFor();
      }));
  },
  'swiftshader',
);

describeInBrowser('the page without its server', (browser) => {
  let plain: { url: string; server: Server };
  beforeAll(async () => {
    plain = await servePlainly(built().folder);
  });
  afterAll(() => plain.server.close());

  it('works offline once it was loaded', () =>
    withPage(browser(), built().url, async ({ page }) => {
      const before = await probabilitiesOf(page, 'scene 1');
      await kept(page);
      await page.context().setOffline(true);
      await page.reload();
      expect(await probabilitiesOf(page, 'scene 1')).toEqual(before);
      await page.locator('.answer svg').waitFor();
    }));

  it('computes on one thread where no headers are sent, and says so; from the second visit on it brings them itself', () =>
    withPage(browser(), plain.url, async ({ page }) => {
      const before = await probabilitiesOf(page, 'scene 1');
      const line = page.locator('.device p');
      expect(await line.innerText()).toMatch(
        /^CPU, .*, 1 thread \(no WebGPU adapter; more threads need .* isolated page\)$/,
      );
      await kept(page);
      await page.reload();
      expect(difference(await probabilitiesOf(page, 'scene 1'), before)).toBeLessThan(1e-6);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
      expect(await line.innerText()).not.toMatch(/isolated/);
    }));

  it('says in a line that the engine cannot be loaded', () =>
    withPage(browser(), `${built().url}nothing-here.svg`, async ({ page, heard }) => {
      await page.route('**/worker-*.js', (route) => route.abort());
      await page.goto(built().url);
      await page.locator('.notice', { hasText: /the engine stopped \(.*\); load the page again/ }).waitFor();
      // The browser itself reports what it could not load.
      heard.length = 0;
    }));
});

describeInBrowser('the page for everybody', (browser) => {
  it.each([1280, 390])('%i wide: every tab is accessible and no wider than the window', (width) =>
    withPage(
      browser(),
      built().url,
      async ({ page }) => {
        await probabilitiesOf(page, 'scene 1');
        await page.locator('.answer svg').waitFor();
        await page.evaluate(() => {
          for (const details of document.querySelectorAll('details')) details.open = true;
        });
        for (const tab of await page.getByRole('tab').all()) {
          await tab.click();
          expect(await violationsOf(page), await tab.innerText()).toEqual([]);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
          expect(wide, await tab.innerText()).toBe(false);
        }
      },
      { viewport: { width, height: 900 }, reducedMotion: 'reduce' },
    ),
  );

  it('takes neither markup nor scripts from strings', () =>
    withPage(browser(), built().url, async ({ page, heard }) => {
      await probabilitiesOf(page, 'scene 1');
      const refused = await page.evaluate(() => {
        const error = (attempt: () => void) => {
          try {
            attempt();
            return 'taken';
          } catch (thrown) {
            return (thrown as Error).name;
          }
        };
        return [
          error(() => document.createElement('p').setHTMLUnsafe('<b>bold</b>')),
          error(() => new Worker('./assets/none.js')),
          error(() => Object.assign(document.createElement('p'), { innerHTML: '<b>bold</b>' })),
        ];
      });
      expect(refused).toEqual(['TypeError', 'TypeError', 'TypeError']);
      // The browser reports each of them.
      heard.length = 0;
    }));

  it('changes tabs by keyboard, and keeps the tab in the address', () =>
    withPage(browser(), built().url, async ({ page }) => {
      await page.getByRole('tab', { name: 'Predict' }).focus();
      await page.keyboard.press('ArrowRight');
      expect(await page.getByRole('tab', { name: 'Tune' }).getAttribute('aria-selected')).toBe('true');
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Tune');
      expect(new URL(page.url()).hash).toBe('#tune');
      await page.keyboard.press('End');
      expect(await page.locator('#panel-laboratory').isVisible()).toBe(true);
      await page.keyboard.press('ArrowRight');
      expect(await page.locator('#panel-predict').isVisible()).toBe(true);
    }));
});
