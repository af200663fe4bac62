/** `ptdpc autotune` and what the other commands make of its table. */
import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { allKernels } from '../../src/kernels/index.js';
import { sumsOf, variantNamed } from '../../src/kernels/webgpu/tuning.js';
import { expectRefused, fixture, ptdpc, ptdpcJson, scratchNames, scratchPath, setUpProgram } from './program.js';

setUpProgram();

interface Tuned {
  file: string;
  adapter: string;
  tuning: Record<string, { fallback: string; byClass: Record<string, string> }>;
  timings: { work: string; variant: string; seconds: number; gflops: number }[];
}

const model = fixture('clip-tiny');

const embedded = async (out: string) => {
  const { code, stderr } = await ptdpc([
    ...['embed', '--model', model, '--device', 'webgpu', '--out', scratchPath(out)],
    fixture('preprocess/00_640x480_RGB.expected.png'),
  ]);
  expect(code, stderr).toBe(0);
  return stderr;
};

it('measures, keeps, shows and clears; other commands use the table', async () => {
  await expectRefused(['autotune', '--show'], /nothing was measured on .*; run npx ptdpc autotune/);
  expect(await embedded('before.safetensors')).not.toMatch(/tuned/);

  const tuned = await ptdpcJson<Tuned>(['autotune', '--model', model]);
  expect(tuned.file.startsWith(scratchPath('cache'))).toBe(true);
  // The chosen variant of each piece of work was measured on it, and is the fastest of those that give the same bits.
  for (const work of new Set(tuned.timings.map((timing) => timing.work))) {
    const timings = tuned.timings.filter((timing) => timing.work === work);
    // The kernel's name and, where it has several classes of calls, the class.
    const [name = '', ...shapeClass] = work.split(' ');
    const kernel = allKernels().find((one) => one.name === name)!;
    const sums = (variant: string) => sumsOf(variantNamed(kernel, variant)!);
    const chosen = timings.find(({ variant }) => variant === tuned.tuning[name]!.byClass[shapeClass.join(' ')])!;
    const alike = timings.filter(({ variant }) => sums(variant) === sums(chosen.variant));
    expect(chosen.seconds, work).toBeGreaterThan(0);
    expect(chosen.seconds, work).toBe(Math.min(...alike.map(({ seconds }) => seconds)));
  }
  expect(Object.keys(tuned.tuning.matmul!.byClass).length).toBeGreaterThan(5);
  const tunable = allKernels().filter(({ variants }) => variants.length > 1);
  expect(Object.keys(tuned.tuning).sort()).toEqual(tunable.map(({ name }) => name).sort());

  expect(await ptdpcJson<Tuned>(['autotune', '--show'])).toEqual(tuned);
  const page = await ptdpc(['autotune', '--show']);
  expect(page.stdout).toMatch(/\nattentionGradQuery .* \w+\n[\s\S]*\nmatmul nt f32 .* \w+\n/);
  expect(page.stdout).toContain(`other products: ${tuned.tuning.matmul!.fallback}`);
  const doctor = await ptdpcJson<{ webgpu: { tuned: string | null } }>(['doctor']);
  expect(doctor.webgpu.tuned).toMatch(/^\d{4}-/);
  // Other variants may round differently, so the device goes by another name, and so do its cached features.
  expect(await embedded('after.safetensors')).toMatch(/device: .*tuned [0-9a-f]{8}.*\n.*\n.* 0 from the cache/);

  await writeFile(
    tuned.file,
    '{"tuning": {"matmul": {"fallback": "no such variant", "byClass": {}}, "attention": {}}}',
  );
  expect(await embedded('damaged.safetensors')).toMatch(
    /damaged, so it is ignored; run npx ptdpc autotune again\ndevice: /,
  );

  expect(await ptdpcJson(['autotune', '--clear'])).toEqual({ removed: 1 });
  expect(await ptdpcJson(['autotune', '--clear'])).toEqual({ removed: 0 });
  await expectRefused(['autotune', '--show'], /nothing was measured/);
});

it('refuses a model that is none, and leaves no table', async () => {
  await expectRefused(['autotune', '--model', scratchPath('nowhere')], /nowhere/);
  await expectRefused(['autotune', '--fast'], /unknown option '--fast'/);
  expect(await scratchNames()).not.toContain('nowhere');
});
