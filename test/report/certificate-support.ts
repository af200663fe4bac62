/** A certificate with everything that one can hold. */
import type { Certificate } from '../../src/lab/index.js';

/** `name`: of the device, as a hostile driver may give it. */
export function sampleCertificate(name: string): Certificate {
  const worst = { output: 'out', index: [1, 2], expected: 0.5, found: Number.NaN };
  const comparison = { error: Number.NaN, wrong: 3, elements: 15, overrun: 0, worst };
  const check = { kernel: 'softmax', suite: 12, cases: 10, wrong: [], unstable: [], tolerance: 2e-6, error: 1e-7 };
  const cost = { flops: 1e9, bytes: 1e6 };
  return {
    format: 1,
    right: false,
    failures: [
      {
        where: 'softmax (rows)',
        what: 'wrong',
        case: 'softmax rows=3,columns=5',
        detail: '3 of 15 elements off',
        worst,
      },
      { where: 'tuning', what: 'fault', detail: `${name} is lost` },
    ],
    quick: true,
    device: {
      kind: 'webgpu',
      description: name,
      adapter: {
        ...{ description: name, software: true, vendor: 'nobody', architecture: '', subgroupSize: 8 },
        ...{ features: ['shader-f16', 'subgroups'], limits: { maxBufferSize: 2 ** 31 } },
      },
    },
    host: { ptdpc: '0.1.0', node: 'v24.0.0' },
    date: '2026-01-01T00:00:00.000Z',
    seconds: { kernels: 12.3, 'reference numbers': 1 },
    kernelsLeftOut: 54,
    kernels: [
      { ...check, variant: 'shipped', leftOut: { 'left out by the quick check': 2 } },
      {
        ...check,
        variant: 'rows',
        leftOut: { 'the variant needs headWidth == 64': 2 },
        wrong: [{ name: 'rows=3', comparison }],
      },
      { ...check, variant: 'lost', leftOut: { 'the device failed': 12 }, cases: 0, error: Number.NaN, fault: 'lost' },
    ],
    references: [
      {
        ...{ model: 'narrow', output: 'gradient', elements: 1920, compared: 24, error: 1e-3, tolerance: 2e-5 },
        ...{ worst: { output: 'gradient', index: [40], expected: 0.001_234_567_8, found: 0.002 }, changed: 0 },
      },
    ],
    determinism: { cases: 20, unstableCases: 1, numbers: 1920, changedNumbers: 0 },
    tuning: {
      tuning: {},
      timings: [
        { work: 'matmul nt f32 512x512', variant: 'tiled', seconds: 1e-3, gflops: 100, clock: 'device' },
        { work: 'matmul nt f32 512x512', variant: 'naive', seconds: 3e-3, gflops: 33, clock: 'device' },
      ],
    },
    rates: {
      ceilings: { gflops: 200, gbytes: 20 },
      kernels: [
        {
          ...{
            kernel: 'softmax',
            variant: 'shipped',
            name: 'softmax rows=64,columns=8',
            clock: 'host',
            cost,
            share: 0.5,
          },
          ...{ seconds: 1e-5, quartiles: [0.9e-5, 1.2e-5], gflops: 100, gbytes: 0.1 },
        },
      ],
    },
  };
}
