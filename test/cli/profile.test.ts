/** `--profile`: the table on standard error, the same as JSON, the result untouched. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { nodeAdapter } from '../../src/node/gpu.js';
import { fixture, ptdpc, scratchPath, setUpProgram } from './program.js';

setUpProgram();

const hasAdapter = (await nodeAdapter().catch(() => null)) !== null;

interface ProfileRow {
  name: string;
  calls: number;
  seconds: number;
  flops: number;
  bytes: number;
  shareOfCeiling: number;
}

interface DeviceProfile {
  device: string;
  seconds: number;
  secondsInKernels: number;
  dispatches?: number;
  submits?: number;
  ceilings: { gflops: number; gbytes: number };
  kernels: ProfileRow[];
  products: ProfileRow[];
}

describe.each([
  ['cpu', true],
  ['webgpu', hasAdapter],
] as const)('on %s', (device, there) => {
  test.skipIf(!there)(
    'names the kernels, and what they took',
    async () => {
      const file = scratchPath(`${device}.json`);
      const args = ['embed', fixture('preprocess/j5_640x480_RGB.jpg'), '--model', fixture('clip-tiny'), '--no-cache'];
      const out = scratchPath(`${device}.safetensors`);
      const { code, stdout, stderr } = await ptdpc([...args, '--device', device, '--out', out, '--profile', file]);
      expect([code, stdout]).toEqual([0, '']);
      expect(stderr).toMatch(/^profile of .*: \d+\.\d\d s, \d+\.\d\d s of it in kernels$/m);
      expect(stderr).toMatch(/^kernel +calls +seconds +share +GFLOP +GFLOP\/s +MB +GB\/s +of ceiling$/m);
      const [profile] = JSON.parse(await readFile(file, 'utf8')) as [DeviceProfile];
      const sum = (of: (row: ProfileRow) => number, rows = profile.kernels) =>
        rows.reduce((total, row) => total + of(row), 0);
      expect(sum(({ seconds }) => seconds)).toBeCloseTo(profile.secondsInKernels, 9);
      expect(profile.secondsInKernels).toBeLessThan(profile.seconds);
      expect(profile.ceilings.gflops).toBeGreaterThan(0);
      expect(profile.kernels.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['matmul', 'attention', 'layerNorm']),
      );
      const matmul = profile.kernels.find(({ name }) => name === 'matmul')!;
      expect(sum(({ calls }) => calls, profile.products)).toBe(matmul.calls);
      expect(sum(({ flops }) => flops, profile.products)).toBe(matmul.flops);
      if (device === 'webgpu') {
        expect(profile.dispatches).toBe(sum(({ calls }) => calls));
        expect(stderr).toMatch(/^\d+ dispatches in \d+ submits$/m);
      }
    },
    60_000,
  );
});

test('a profile that cannot be written is refused in one line', async () => {
  const args = ['embed', fixture('preprocess/j5_640x480_RGB.jpg'), '--model', fixture('clip-tiny'), '--device', 'cpu'];
  const { code, stderr } = await ptdpc([
    ...[...args, '--no-cache', '--out', scratchPath('x.safetensors')],
    ...['--profile', scratchPath('no/such/folder.json')],
  ]);
  expect(code).toBe(2);
  expect(stderr.trim().split('\n').at(-1)).toMatch(/^ptdpc: .*folder\.json/);
});
