/** The built page, served as a server should serve it, in Chromium; every test hears of whatever the page should not have done. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { build, type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, expect } from 'vitest';

const ROOT = new URL('../..', import.meta.url).pathname;
const WEB = join(ROOT, 'web');

/** Builds the page once for a test file and serves it. Returns its address, which ends with a slash. */
export function setUpPage(): () => string {
  let folder: string;
  let server: PreviewServer;
  beforeAll(async () => {
    await mkdir(join(ROOT, '.cache'), { recursive: true });
    folder = await mkdtemp(join(ROOT, '.cache/web-test-'));
    await build({ root: WEB, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } });
    server = await preview({ root: WEB, logLevel: 'error', build: { outDir: folder }, preview: { port: 0 } });
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return () => {
    const address = server.httpServer.address();
    if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
    return `http://localhost:${address.port}/`;
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

/** The probabilities on show, by class word, once the picture named `title` has its answer. */
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
