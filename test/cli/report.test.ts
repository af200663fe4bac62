import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { expectRefused, ptdpcJson, scratchNames, scratchPath, setUpProgram } from './program.js';

setUpProgram();

it('writes the page of a real run, pictures and all', async () => {
  await ptdpcJson(['demo', '--out', 'demo', '--per-class', '2', '--epochs', '2', '--device', 'cpu']);
  const { report, bytes } = await ptdpcJson<{ report: string; bytes: number }>(['report', '--run', 'demo/run']);
  const page = await readFile(scratchPath(report), 'utf8');
  expect(Buffer.byteLength(page)).toBe(bytes);
  expect(bytes).toBeLessThan(300_000);
  expect(page.match(/<svg/g)).toHaveLength(6);
  expect(page.match(/src="data:image\/jpeg;base64,/g)!.length).toBeGreaterThan(12);
  expect(page).not.toContain('picture not found');
});

it('refuses what is no run, and leaves nothing', async () => {
  await expectRefused(['report', '--run', 'nowhere', '--out', 'page.html'], /nowhere\/run\.json: not found/);
  expect(await scratchNames()).not.toContain('page.html');
});
