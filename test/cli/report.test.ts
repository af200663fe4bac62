import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { expectRefused, fixture, ptdpcJson, scratchNames, scratchPath, setUpProgram } from './program.js';

setUpProgram();

it('writes the page of a real run, pictures and all', async () => {
  await ptdpcJson(['demo', '--out', 'demo', '--per-class', '2', '--epochs', '2', '--device', 'cpu']);
  const { report, bytes } = await ptdpcJson<{ report: string; bytes: number }>(['report', '--run', 'demo/run']);
  const page = await readFile(scratchPath(report), 'utf8');
  expect(Buffer.byteLength(page)).toBe(bytes);
  expect(bytes).toBeLessThan(300_000);
  // Learning, results, and zero-shot beside them; and the weights of four pictures.
  expect(page.match(/<svg/g)).toHaveLength(8 + 4);
  expect(page).toContain('Nearest words: all classes');
  // SOT is learned in the preset official; each is nearest to what it began as, and that is passed over or found.
  expect(page).toMatch(/<tr><th scope="row">2<\/th><td>a<\/td>/);
  expect(page.match(/src="data:image\/jpeg;base64,/g)!.length).toBeGreaterThan(12);
  expect(page).not.toContain('picture not found');
});

it('leaves out words and weights where that is asked for, and says so where the model is another', async () => {
  const without = await ptdpcJson<{ report: string }>(['report', '--run', 'demo/run', '--no-prompts']);
  expect(await readFile(scratchPath(without.report), 'utf8')).not.toContain('Nearest words');
  const other = ['report', '--run', 'demo/run', '--model', fixture('clip-tiny')];
  const { report } = await ptdpcJson<{ report: string }>(other);
  const page = await readFile(scratchPath(report), 'utf8');
  expect(page).toMatch(/Words and weights are not shown: .*made with another model/);
  expect(page.match(/<svg/g)).toHaveLength(8);
});

it('refuses what is no run, and leaves nothing', async () => {
  await expectRefused(['report', '--run', 'nowhere', '--out', 'page.html'], /nowhere\/run\.json: not found/);
  await expectRefused(
    ['report', '--run', 'demo/run', '--out', 'no/such/page.html'],
    /^ptdpc: --out no\/such: no such folder$/,
  );
  const names = await scratchNames();
  for (const name of ['page.html', 'no']) expect(names).not.toContain(name);
});
