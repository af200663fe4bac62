/** The engine's spans as User Timing measures: told to whoever records, and not kept. */
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { afterEach, expect, test } from 'vitest';
import { listenToSpans, span } from '../../src/trace.js';
import { measureSpans } from '../../web/engine/measures.js';

afterEach(() => listenToSpans(undefined));

test('a span is a measure with its details, which does not stay', async () => {
  const seen = new Promise<PerformanceEntry[]>((resolve) => {
    const observer = new PerformanceObserver((list) => {
      observer.disconnect();
      resolve(list.getEntries());
    });
    observer.observe({ entryTypes: ['measure'] });
  });
  measureSpans();
  {
    using _ = span('encode', { images: 3 });
    using _inner = span('wait');
  }
  expect(performance.getEntriesByType('measure')).toEqual([]);
  // In the order in which they began.
  const [outer, inner] = await seen;
  expect([outer, inner]).toMatchObject([{ name: 'encode', detail: { images: 3 } }, { name: 'wait' }]);
  expect(outer!.startTime).toBeLessThanOrEqual(inner!.startTime);
  expect(outer!.duration).toBeGreaterThanOrEqual(inner!.duration);
});
