/** The page of a certificate. */
import { expect, it } from 'vitest';
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

it('holds no markup that a driver brought along', () => {
  for (const word of HOSTILE_WORDS) {
    const bare = certificatePage(sampleCertificate(word)).replace(/"[^"]*"/g, '""');
    expect([...bare.matchAll(/<(script|iframe|img|style|link|object)\b/g)].map(([, tag]) => tag)).toEqual([
      'link',
      'style',
    ]);
  }
});
