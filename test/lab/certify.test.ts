/** What a certificate says of right devices, and of wrong ones. */
import { describe, expect, it } from 'vitest';
import {
  type AnyArgs,
  allKernels,
  anyKernel,
  type Backend,
  CpuBackend,
  type Kernel,
  kernels,
  type Tuning,
} from '../../src/kernels/index.js';
import { referenceFailures } from '../../src/lab/certify/certificate.js';
import { checkReference, REFERENCE_MODELS, storedNumbers } from '../../src/lab/certify/reference-checks.js';
import { REFERENCE_NUMBERS } from '../../src/lab/certify/reference-numbers.generated.js';
import { type Certificate, type CertifyStep, certificateJson, certify, type Subject } from '../../src/lab/index.js';
import { certificatePage } from '../../src/report/certificate-page.js';
import { type DeviceName, hasAdapter, openTestDevice } from '../support/devices.js';

const SOME: readonly Kernel[] = [anyKernel(kernels.softmax), anyKernel(kernels.attention)];

/** Devices as the tests open them, with ceilings that are not measured. */
function subject(name: DeviceName, change: (backend: Backend) => Backend = (backend) => backend): Subject {
  return {
    host: { ptdpc: '0.0.0' },
    open: async (tuning?: Tuning) => change(await openTestDevice(name, { poison: true, ...(tuning && { tuning }) })),
    ceilings: async () => ({ gflops: 100, gbytes: 10 }),
  };
}

/** A backend whose kernels go by `run`. */
function changed(backend: Backend, run: (kernel: Kernel, args: AnyArgs) => void): Backend {
  return new Proxy(backend, {
    get(target, key) {
      if (key === 'run') return run;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

for (const name of ['cpu', 'webgpu'] as const) {
  describe.skipIf(name === 'webgpu' && !hasAdapter)(`a right device: ${name}`, () => {
    it('is certified with every variant, reference numbers and rates', async () => {
      const steps: CertifyStep[] = [];
      const certificate = await certify(subject(name), {
        quick: true,
        kernels: SOME,
        onStep: (step) => steps.push(step),
      });
      expect(certificate.failures).toEqual([]);
      expect(certificate).toMatchObject({
        format: 1,
        right: true,
        quick: true,
        kernelsLeftOut: allKernels().length - SOME.length,
        host: { ptdpc: '0.0.0' },
      });
      expect(certificate.device.kind).toBe(name);
      const variants = certificate.kernels.map(({ kernel, variant }) => `${kernel} ${variant}`);
      expect(variants).toEqual(
        name === 'cpu'
          ? ['softmax twin', 'attention WebAssembly']
          : ['softmax shipped', ...kernels.attention.variants.map((variant) => `attention ${variant.name}`)],
      );
      for (const { cases, suite, leftOut, error, tolerance } of certificate.kernels) {
        expect(cases).toBeGreaterThan(0);
        expect(cases + Object.values(leftOut).reduce((sum, count) => sum + count, 0)).toBe(suite);
        expect(error).toBeLessThanOrEqual(tolerance);
      }
      expect(certificate.references).toHaveLength(certificate.device.adapter?.software ? 5 : 10);
      for (const { error, tolerance, changed } of certificate.references) {
        expect(error).toBeLessThan(tolerance / 4);
        expect(changed).toBe(0);
      }
      expect(certificate.determinism).toMatchObject({ unstableCases: 0, changedNumbers: 0 });
      expect(certificate.determinism.cases).toBeGreaterThan(10);
      expect(certificate.rates).toMatchObject({ ceilings: { gflops: 100 }, kernels: [{}, {}] });
      expect(certificate.tuning).toHaveProperty('notMeasured');
      if (name === 'webgpu') expect(certificate.device.adapter?.limits.maxBufferSize).toBeGreaterThan(0);
      expect([...new Set(steps.map(({ stage }) => stage))]).toEqual([
        'kernels',
        'reference numbers',
        'ceilings',
        'rates',
      ]);
      expect(JSON.parse(certificateJson(certificate))).toEqual(certificate);
      const page = certificatePage(certificate);
      expect(page).toContain('Right: nothing failed.');
      expect(page).toContain(certificate.device.description);
      expect(page).not.toMatch(/undefined|NaN|<script/);
    });
  });
}

describe('a wrong device', () => {
  /** Every softmax has its last number a little too large. */
  const wrong = (backend: Backend) =>
    changed(backend, (kernel, args) => {
      backend.run(kernel, args);
      if (kernel.name !== 'softmax') return;
      const { data } = args.out as unknown as { data: Float32Array };
      const at = Number(args.rows) * Number(args.columns) - 1;
      data[at] = data[at]! + 0.25;
    });
  const certified = (options: Parameters<typeof certify>[1] = {}): Promise<Certificate> =>
    certify(subject('cpu', wrong), { kernels: SOME.slice(0, 1), quick: true, ...options });

  it('is refused, and the worst element of each case is named', async () => {
    const certificate = await certified();
    expect(certificate.right).toBe(false);
    const [failure] = certificate.failures;
    expect(failure).toMatchObject({ where: 'softmax (twin)', what: 'wrong', worst: { output: 'out' } });
    expect(failure!.case).toMatch(/^softmax rows=1,columns=1/);
    expect(failure!.detail).toMatch(/^1 of 1 elements off, worst out\[0, 0\] is 1.25, expected 1$/);
    const page = certificatePage(certificate);
    expect(page).toContain('Not right: ');
    expect(page).toContain('out[0, 0]');
  });

  it('with faults is refused too, and everything else is checked', async () => {
    let opened = 0;
    const faulty = (backend: Backend) => {
      opened++;
      return changed(backend, (kernel, args) => {
        if (kernel.name === 'softmax') throw new Error('the device\nis lost');
        backend.run(kernel, args);
      });
    };
    const certificate = await certify(subject('cpu', faulty), { kernels: SOME, quick: true });
    expect(certificate.kernels.map(({ kernel, fault, cases }) => [kernel, fault, cases > 0])).toEqual([
      ['softmax', 'the device is lost', false],
      ['attention', undefined, true],
    ]);
    expect(certificate.failures[0]).toEqual({ where: 'softmax (twin)', what: 'fault', detail: 'the device is lost' });
    expect(certificate.failures.at(-1)).toMatchObject({ where: 'rates', what: 'fault' });
    expect(certificate.rates).toEqual({ notMeasured: 'the device is lost' });
    expect(certificate.references).toHaveLength(10);
    // Kernels, once more after the fault, two models twice each, and rates.
    expect(opened).toBe(7);
    expect(JSON.parse(certificateJson(certificate))).toMatchObject({ kernels: [{ error: 'NaN' }, {}] });
  });

  it('whose bits change is refused', async () => {
    let calls = 0;
    const restless = (backend: Backend) =>
      changed(backend, (kernel, args) => {
        backend.run(kernel, args);
        const { data } = args.out as unknown as { data: Float32Array };
        if (kernel.name === 'softmax' && calls++ % 2 === 1) data[0] = data[0]! * (1 + 2 ** -23);
      });
    const { failures, determinism } = await certify(subject('cpu', restless), {
      kernels: SOME.slice(0, 1),
      quick: true,
    });
    expect(failures[0]).toMatchObject({ what: 'unstable', detail: 'other bits in a second run' });
    expect(determinism.unstableCases).toBeGreaterThan(0);
  });

  it('ends where it is told to', async () => {
    const stop = new Error('stop');
    const onStep = () => {
      throw stop;
    };
    await expect(certified({ onStep })).rejects.toBe(stop);
  });
});

describe.skipIf(!hasAdapter)('the wide model', () => {
  it('holds on a GPU too', async () => {
    const checks = await checkReference(() => openTestDevice('webgpu', { poison: true }), 'wide');
    expect(checks.flatMap(referenceFailures)).toEqual([]);
    expect(checks).toHaveLength(5);
  });
});

it('the stored numbers are those of the definitions in float64', async () => {
  for (const model of REFERENCE_MODELS) {
    const device = new CpuBackend({ precision: 'f64' });
    expect(await storedNumbers(device, model)).toEqual(REFERENCE_NUMBERS[model]);
  }
});
