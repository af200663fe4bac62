/** The page of a certificate. */
import { expect, it } from 'vitest';
import { largestErrors, triedOf } from '../../src/lab/certify/certificate.js';
import { certificatePage } from '../../src/report/index.js';
import { sampleCertificate } from './certificate-support.js';
import { HOSTILE_WORDS } from './support.js';

it('names every failure with its worst element, and says why cases are left out', () => {
  const page = certificatePage(sampleCertificate('a GPU'));
  expect(page).toContain('Not right: 2 failures.');
  for (const text of ['out[1, 2]', 'NaN', '0.5', 'softmax rows=3,columns=5', 'a GPU is lost', 'wrong on 1', 'failed'])
    expect(page).toContain(text);
  expect(page).toMatch(/the variant needs headWidth == 64<\/th><td>2<\/td><td>softmax \(rows\)/);
  expect(page).toMatch(/tiled<\/td><td>1000<\/td><td>100<\/td><td>naive 3 times/);
  expect(page).toContain('without the wide one');
  expect(page).toContain('54 kernels not asked for');
  const { failures: _, ...rest } = sampleCertificate('a GPU');
  const right = certificatePage({
    ...rest,
    failures: [],
    tuning: { notMeasured: 'no time' },
    rates: { notMeasured: 'lost' },
  });
  expect(right).toContain('Right: nothing failed.');
  expect(right).not.toContain('id="failures"');
  expect(right).toContain('Not measured: no time.');
});

it('gives the largest error of each tolerance apart', () => {
  const certificate = sampleCertificate('a GPU');
  const [check] = certificate.kernels;
  const halves = { ...check!, variant: 'halves', tolerance: 1e-3, error: 2.9e-4 };
  expect(largestErrors([halves, check!, { ...check!, error: Number.NaN }])).toEqual([
    { tolerance: 2e-6, error: 1e-7, checks: 2 },
    { tolerance: 1e-3, error: 2.9e-4, checks: 1 },
  ]);
  const page = certificatePage({ ...certificate, kernels: [check!, halves] });
  expect(page).toMatch(/where 2\.0e−6 of the largest number is tolerated<\/dt><dd>1\.0e−7</);
  expect(page).toMatch(/where 1\.0e−3 of the largest number is tolerated<\/dt><dd>2\.9e−4</);
});

it('counts no variant as right that the device cannot run', () => {
  const certificate = sampleCertificate('a GPU');
  const [check] = certificate.kernels;
  const matrices = {
    ...{ ...check!, variant: 'matrices', cases: 0, tolerance: 1e-3 },
    leftOut: { 'the variant needs matrixF32x8 == 1': 12 },
  };
  const lost = { ...matrices, variant: 'lost', fault: 'device lost' };
  expect(triedOf([check!, matrices, lost])).toEqual([check, lost]);
  const page = certificatePage({ ...certificate, kernels: [check!, matrices] });
  expect(page).toContain('<dt>cases of 1 variant of kernels</dt>');
  expect(page).toContain('<dt>variants that this device cannot run</dt><dd>1</dd>');
  expect(page).not.toContain('1.0e−3 of the largest number is tolerated');
  expect(page).toMatch(/matrices<\/td><td>not tried/);
});

it('holds no markup that a driver brought along', () => {
  for (const word of HOSTILE_WORDS) {
    const bare = certificatePage(sampleCertificate(word)).replace(/"[^"]*"/g, '""');
    expect([...bare.matchAll(/<(script|iframe|img|style|link|object)\b/g)].map(([, tag]) => tag)).toEqual([
      'link',
      'style',
    ]);
  }
});
