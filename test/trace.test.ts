/** Spans: nothing while nobody listens, each with its begin and end otherwise; and how a trace lays them out in rows. */
import { afterEach, expect, test } from 'vitest';
import { chromeTrace } from '../src/cli/trace/chrome-trace.js';
import { HostRecorder } from '../src/cli/trace/host-recorder.js';
import { Profiler } from '../src/kernels/index.js';
import { isTraced, listenToSpans, passOn, type Span, span } from '../src/trace.js';

afterEach(() => listenToSpans(undefined));

test('while nobody listens, a span is nothing', () => {
  expect(isTraced()).toBe(false);
  expect(span('decode')).toBeUndefined();
});

test('a span ends with its block, also where that throws', () => {
  const spans: Span[] = [];
  listenToSpans({ end: (span) => spans.push(span) });
  const work = () => {
    using _outer = span('encode', { images: 2 });
    using _inner = span('wait');
    throw new Error('lost');
  };
  expect(work).toThrow('lost');
  expect(spans.map(({ work, details }) => [work, details])).toEqual([
    ['wait', undefined],
    ['encode', { images: 2 }],
  ]);
  const [inner, outer] = spans as [Span, Span];
  expect(outer.begin).toBeLessThanOrEqual(inner.begin);
  expect(inner.end).toBeLessThanOrEqual(outer.end);
});

test('what another thread did counts from this one’s start', () => {
  const spans: Span[] = [];
  listenToSpans({ end: (span) => spans.push(span) });
  passOn([{ work: 'decode', begin: 1, end: 3 }], performance.timeOrigin + 100, 'decoder 1');
  expect(spans).toMatchObject([{ work: 'decode', thread: 'decoder 1' }]);
  expect(spans[0]!.begin).toBeCloseTo(101, 3);
  expect(spans[0]!.end).toBeCloseTo(103, 3);
});

test('every moment counts as one kind of work', () => {
  const host = new HostRecorder(true);
  host.begin('read', 10);
  host.begin('wait', 20);
  host.end({ work: 'read', begin: 10, end: 30 });
  host.begin('step', 35);
  host.end({ work: 'wait', begin: 20, end: 40 });
  host.end({ work: 'decode', begin: 0, end: 1000, thread: 'decoder 1' });
  host.end({ work: 'step', begin: 35, end: 50 });
  const milliseconds = host.rows().map(({ work, seconds }) => [work, Math.round(1000 * seconds)]);
  expect(Object.fromEntries(milliseconds)).toEqual({ start: 10, read: 10, wait: 20, rest: 10 });
  expect(host.threadSeconds).toEqual(new Map([['decode', 1]]));
});

test('what overlaps without being within each other gets rows of its own', () => {
  const spans: Span[] = [
    { work: 'read', begin: 0, end: 4 },
    { work: 'read', begin: 1, end: 2 },
    { work: 'read', begin: 3, end: 6 },
    { work: 'read', begin: 4, end: 4 },
  ];
  const profiler = new Profiler(1);
  const dispatch = {
    kernel: 'matmul',
    cost: { flops: 2e6, bytes: 1e6 },
    origin: { operation: 'linear', backward: true },
  };
  profiler.add({ ...dispatch, begin: 1, end: 2 });
  profiler.add({ ...dispatch, begin: 2, end: 3 });
  profiler.clock = { source: 'gpu', shift: 10, uncertainty: 0.5 };
  const text = [
    ...chromeTrace({ spans, spansLeft: 0, devices: [{ description: 'a GPU', profiler }], command: ['train'] }),
  ].join('');
  const { traceEvents, otherData } = JSON.parse(text) as { traceEvents: Record<string, unknown>[]; otherData: object };
  const rows = new Map<string, unknown[]>();
  for (const { ph, pid, tid, ts } of traceEvents) {
    if (ph !== 'M') rows.set(`${pid} ${tid}`, [...(rows.get(`${pid} ${tid}`) ?? []), `${ph} ${ts}`]);
  }
  expect(Object.fromEntries(rows)).toEqual({
    '1 1': ['B 0', 'B 1000', 'E 2000', 'E 4000', 'B 4000', 'E 4000'],
    '1 2': ['B 3000', 'E 6000'],
    '2 1': ['B 11000', 'E 12000'],
  });
  expect(traceEvents.find(({ name, ph }) => name === 'matmul' && ph === 'B')).toMatchObject({
    cat: 'dispatch,backward',
    args: { operation: 'linear', pass: 'backward', MFLOP: 2, MB: 1 },
  });
  expect(otherData).toMatchObject({
    devices: [
      { device: 'a GPU', dispatches: 1, dispatchesLeftOut: 1, times: 'GPU timestamps', latestByMilliseconds: 0.5 },
    ],
  });
  expect(profiler.operations.get('linear')).toMatchObject({ forward: { calls: 0 }, backward: { calls: 2 } });
});
