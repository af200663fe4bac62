/** `doctor`, `preprocess`, `random-model`, and what Ctrl-C leaves behind. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { decodeImage } from '../../src/clip/image/index.js';
import { nodeAdapter } from '../../src/node/gpu.js';
import {
  expectRefused,
  fixture,
  outcomeOf,
  ptdpc,
  ptdpcJson,
  scratchNames,
  scratchPath,
  setUpProgram,
  startPtdpc,
} from './program.js';

setUpProgram();

const ROOT = new URL('../..', import.meta.url).pathname;

test('doctor reports the adapter and what auto would take', async () => {
  const report = await ptdpcJson<{ auto: { device: string }; webgpu: { adapter: { software: boolean } | null } }>([
    'doctor',
  ]);
  const adapter = await nodeAdapter().catch(() => null);
  expect(report.webgpu.adapter !== null).toBe(adapter !== null);
  if (report.webgpu.adapter?.software !== false) expect(report.auto.device).toBe('cpu');
  const { code, stdout } = await ptdpc(['doctor']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ptdpc .*\nmemory .*\ncpu .*\n[\s\S]*\nauto +(cpu|webgpu): .+\ncache /);
});

test.each(['plain', 'relaxed', 'wide'])('PTDPC_WASM=%s decides which compiled kernels run', async (build) => {
  const { stdout } = await ptdpc(['doctor', '--json'], { PTDPC_WASM: build });
  const { cpu } = JSON.parse(stdout) as { cpu: { build: string; reason: string; backend: string } };
  expect(cpu).toMatchObject({ build, reason: `PTDPC_WASM=${build}` });
  // Builds that give the same bits go by the same name in the records of runs.
  expect(cpu.backend.includes('with fused multiply-add')).toBe(build !== 'plain');
});

test('PTDPC_WASM with another word is one clear line', async () => {
  const { code, stdout, stderr } = await ptdpc(['doctor'], { PTDPC_WASM: 'fast' });
  expect([code, stdout, stderr.trim()]).toEqual([2, '', 'ptdpc: PTDPC_WASM=fast: expected plain, relaxed or wide']);
});

test('doctor without a driver says what to install', async () => {
  if (process.platform !== 'linux') return;
  const { code, stdout } = await ptdpc(['doctor'], { VK_ICD_FILENAMES: '/none', VK_DRIVER_FILES: '/none' });
  expect([code, stdout]).toEqual([0, expect.stringMatching(/\nwebgpu +no WebGPU adapter; install .+\nauto +cpu: /)]);
});

test('verify prints every check, and fails where one does', async () => {
  const sound = await ptdpc(['verify', join(ROOT, 'assets/demo-model'), '--device', 'cpu']);
  expect([sound.code, sound.stderr]).toEqual([0, expect.stringMatching(/^device: .*\n$/)]);
  expect(sound.stdout).toMatch(
    /^passed {3}shapes: .*\nnot run {2}preprocessing: .*\npassed {3}finite weights: 1\.\d M numbers\n/,
  );
  expect(sound.stdout).toMatch(
    /\nnot run {2}reference numbers: not applicable: not OpenAI's ViT-B\/32 \(other sizes\)\n/,
  );
  const expected = await ptdpc([
    ...['verify', join(ROOT, 'assets/demo-model'), '--device', 'cpu', '--expect', 'ViT-B/32'],
  ]);
  expect(expected.code).toBe(1);
  expect(expected.stdout).toMatch(/^failed {3}reference numbers: not OpenAI's ViT-B\/32 \(other sizes\)$/m);
  // The golden model comes without a vocabulary.
  const { code, stdout, stderr } = await ptdpc(['verify', fixture('clip-tiny'), '--device', 'cpu', '--json']);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/\nptdpc: .*clip-tiny: 1 check of 10 failed\n$/)]);
  const report = JSON.parse(stdout) as { failed: number; checks: { name: string; outcome: string }[] };
  expect(report.checks.filter(({ outcome }) => outcome === 'failed')).toEqual([
    { name: 'vocabulary', outcome: 'failed', detail: expect.stringMatching(/merges\.txt: missing/) },
  ]);
  await expectRefused(
    ['verify', 'nowhere'],
    /nowhere: cannot be opened \(no such file or folder\); download a model with npx ptdpc fetch ViT-B\/32 --out clip-vit-b32$/,
  );
});

test.each(['00_640x480_RGB', '09_300x451_RGBA', 'j0_640x427_RGB'])('preprocess %s: byte for byte', async (name) => {
  const extension = name.startsWith('j') ? 'jpg' : 'png';
  const out = scratchPath(`${name}.png`);
  const { code, stderr } = await ptdpc(['preprocess', fixture(`preprocess/${name}.${extension}`), '--out', out]);
  expect([code, stderr]).toEqual([0, `${out}: 224 x 224 pixels\n`]);
  const expected = await decodeImage(await readFile(fixture(`preprocess/${name}.expected.png`)), name);
  expect(await decodeImage(await readFile(out), out)).toEqual(expected);
});

test('preprocess shows what is read of a truncated image', async () => {
  const [cut, out] = [scratchPath('cut.jpg'), scratchPath('cut.png')];
  await writeFile(cut, (await readFile(fixture('preprocess/j0_640x427_RGB.jpg'))).subarray(0, 50_000));
  await expectRefused(['preprocess', cut, '--out', out], /cut\.jpg: JPEG image is cut short/);
  const { code, stderr } = await ptdpc(['preprocess', cut, '--out', out, '--truncated', 'read']);
  expect([code, stderr]).toEqual([0, `${out}: 224 x 224 pixels, of a truncated image\n`]);
  const { data } = await decodeImage(await readFile(out), out);
  expect([...data.slice(-3)]).toEqual([128, 128, 128]);
});

test('preprocess refuses what is no image, and writes nothing', async () => {
  const before = await scratchNames();
  const out = ['--out', scratchPath('never.png')];
  await expectRefused(
    ['preprocess', fixture('preprocess/cases.json'), ...out],
    /cases\.json: expected a .* image, found/,
  );
  await expectRefused(['preprocess', fixture('preprocess'), ...out], /preprocess: expected an image file/);
  await expectRefused(['preprocess', 'none.png', ...out], /none\.png: cannot be opened \(no such file or folder\)/);
  expect(await scratchNames()).toEqual(before);
});

test('random-model refuses an occupied folder; Ctrl-C in the middle leaves nothing', async () => {
  const out = scratchPath('random');
  const args = ['random-model', '--arch', 'ViT-B/32', '--out', out];
  await expectRefused([...args.slice(0, -1), fixture('clip-tiny')], /clip-tiny: the folder is not empty/);
  await expectRefused([...args, '--vocab', 'none.txt'], /none\.txt: cannot be opened \(no such file or folder\)/);

  const child = startPtdpc(args);
  const outcome = outcomeOf(child);
  const temporary = async () => (await scratchNames()).find((name) => name.endsWith('.tmp'));
  let folder: string | undefined;
  while (!folder) {
    await setTimeout(20);
    folder = await temporary();
    if (child.exitCode !== null) break;
  }
  expect(folder).toMatch(/^\.random\.[0-9a-z-]+\.\d+\.tmp$/);
  while ((await readdir(scratchPath(folder!))).length === 0) await setTimeout(20);
  child.kill('SIGINT');
  expect(await outcome).toEqual({ code: null, signal: 'SIGINT', stdout: '', stderr: '' });
  expect(await temporary()).toBeUndefined();
  expect((await scratchNames()).filter((name) => name.includes('random'))).toEqual([]);
});
