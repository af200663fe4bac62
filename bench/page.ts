/** The page in `web/`: what loading it transfers, and how long after navigation its first prediction stands there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { build, preview } from 'vite';
import { benchFile } from './models.js';
import type { DeviceName } from './session.js';
import { resultRow, type StandaloneBenchmark } from './standalone.js';

const CHROMIUM = process.env.PTDPC_CHROMIUM ?? '/usr/bin/chromium';
/** WebGPU on the adapter that Chromium brings along; on the CPU there is none. */
const ARGUMENTS: Readonly<Record<DeviceName, readonly string[]>> = {
  cpu: ['--disable-gpu'],
  webgpu: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
};

/** In a fresh profile each round, from this machine's own server, which compresses nothing. */
export const pageBenchmark: StandaloneBenchmark = {
  name: 'page',
  devices: ['cpu', 'webgpu'],
  async measure(device, { rounds }) {
    const folder = benchFile('page');
    await build({ root: 'web', logLevel: 'error', build: { outDir: folder, emptyOutDir: true } });
    const server = await preview({ root: 'web', logLevel: 'error', build: { outDir: folder }, preview: { port: 0 } });
    try {
      const address = server.httpServer.address();
      if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
      const url = `http://localhost:${address.port}/?device=${device}`;
      const seconds: number[] = [];
      for (let round = 0; round < rounds; round++) seconds.push(await firstPrediction(url, device));
      const times = resultRow('page: navigation to the first prediction', `${device}, Chromium`, 's', seconds);
      return device === 'cpu' ? [...weights(folder), times] : [times];
    } finally {
      await server.close();
    }
  },
};

async function firstPrediction(url: string, device: DeviceName): Promise<number> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--headless', '--no-sandbox', '--no-first-run', ...ARGUMENTS[device]],
  });
  try {
    const page = await browser.newPage();
    const start = performance.now();
    await page.goto(url);
    await page.locator('.answer [data-tuned]').first().waitFor();
    return (performance.now() - start) / 1000;
  } finally {
    await browser.close();
  }
}

/** All files that a browser ever asks for, as they are and as a compressing server sends them. */
function weights(folder: string) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const contents = files
    .filter(({ name }) => name !== '_headers')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  const mebibytes = (sizes: readonly number[]) => [sizes.reduce((a, b) => a + b, 0) / 2 ** 20];
  const row = (work: string, sizes: number[]) => resultRow(work, 'any', 'MiB', mebibytes(sizes));
  return [
    row(
      'page: all files',
      contents.map(({ length }) => length),
    ),
    row(
      'page: all files, gzip',
      contents.map((bytes) => gzipSync(bytes).length),
    ),
  ];
}
