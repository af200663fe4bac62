/** The built page, served as a server should serve it, in Chromium; every test hears of whatever the page should not have done. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, expect, inject } from 'vitest';

const WEB = new URL('../../web', import.meta.url).pathname;
/** Playwright waits this many milliseconds: what is waited for computes, and may share its cores with other tests. */
const PATIENCE = 200_000;

/** The page as it was built for the tests. */
export interface BuiltPage {
  /** Where it is served, with a slash at the end. */
  readonly url: string;
  /** Where its files are. */
  readonly folder: string;
}

/** Serves the page for a test file as `npm run web` does. */
export function setUpPage(): () => BuiltPage {
  const folder = inject('page');
  let server: PreviewServer;
  beforeAll(async () => {
    server = await preview({ root: WEB, logLevel: 'error', build: { outDir: folder }, preview: { port: 0 } });
  });
  afterAll(() => server.close());
  return () => {
    const address = server.httpServer.address();
    if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
    return { url: `http://localhost:${address.port}/`, folder };
  };
}

/** A page that has been opened, and what was heard of it. */
export interface OpenPage {
  readonly page: Page;
  /** Console messages, errors, requests to elsewhere: nothing, if all is well. */
  readonly heard: string[];
}

/** Opens the page, lets `look` use it, and expects that it was quiet and asked nothing of anybody else. */
export async function withPage(
  browser: Browser,
  url: string,
  look: (open: OpenPage) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  try {
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const heard: string[] = [];
    const { origin } = new URL(url);
    page.on('console', (message) => heard.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => heard.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => heard.push(`dialog: ${dialog.message()}`));
    context.on('request', (request) => {
      if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith(`blob:${origin}/`))
        heard.push(`request: ${request.url()}`);
    });
    await page.goto(url);
    await look({ page, heard });
    expect(heard).toEqual([]);
  } finally {
    await context.close();
  }
}

/** The probabilities on show, by class word, once the picture of this name has its answer. */
export async function probabilitiesOf(page: Page, name: string): Promise<Record<string, number>> {
  await page.locator('.answer .kicker', { hasText: name }).waitFor();
  await page.locator('.answer [data-tuned]').first().waitFor();
  const rows = await page
    .locator('.probabilities tbody tr')
    .evaluateAll((all) =>
      all.map((row) => [
        row.querySelector('th')?.textContent ?? '',
        Number(row.querySelector<HTMLElement>('[data-tuned]')?.dataset.tuned),
      ]),
    );
  return Object.fromEntries(rows) as Record<string, number>;
}
