/**
 * Chromium for tests that look at pages. It is not among the npm packages; a suite shows as skipped without it, and .ci/run, which
 * installs it, refuses skipped tests.
 */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe } from 'vitest';

const PLACES = [process.env.PTDPC_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = PLACES.find((path) => path !== undefined && existsSync(path));

/** It asks nothing of the network by itself, and needs neither a display nor a user of its own. */
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A suite with one browser. */
export function describeInBrowser(title: string, suite: (browser: () => Browser) => void): void {
  if (!executablePath)
    console.warn(`${title}: skipped, no Chromium (Debian: apt-get install chromium; elsewhere PTDPC_CHROMIUM=<path>)`);
  describe.skipIf(!executablePath)(title, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: executablePath!, args: ARGUMENTS });
    });
    afterAll(() => browser.close());
    suite(() => browser);
  });
}
