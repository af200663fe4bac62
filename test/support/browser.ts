/**
 * Chromium for tests that look at pages: `setup.sh --tests` installs it. Without it a suite shows as skipped, and .ci/run refuses
 * skipped tests.
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
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Without WebGPU, or with it on the adapter that Chromium brings along. */
const GPU_ARGUMENTS = {
  none: ['--disable-gpu'],
  swiftshader: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
} as const;

/** A suite with one browser. */
export function describeInBrowser(
  title: string,
  suite: (browser: () => Browser) => void,
  gpu: keyof typeof GPU_ARGUMENTS = 'none',
): void {
  if (!executablePath)
    console.warn(
      `${title}: skipped, no Chromium (bash scripts/setup.sh --tests installs it on Debian; elsewhere PTDPC_CHROMIUM=<path>)`,
    );
  describe.skipIf(!executablePath)(title, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: executablePath!, args: [...ARGUMENTS, ...GPU_ARGUMENTS[gpu]] });
    });
    afterAll(() => browser.close());
    suite(() => browser);
  });
}
