/**
 * A trace in Chrome's trace event format, which ui.perfetto.dev, chrome://tracing and the performance panel of browsers open:
 * https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. A process for the host and one for each device; a row for
 * each thread, and more where things overlap that are not within each other. Each event has a line.
 */
import type { Profiler } from '../../kernels/index.js';
import type { Details, Span, Work } from '../../trace.js';

/** A device of a trace. */
export interface TracedDevice {
  readonly description: string;
  readonly profiler: Profiler;
}

/** What a trace is made of. */
export interface Recorded {
  readonly spans: readonly Span[];
  /** Those that were not kept. */
  readonly spansLeft: number;
  readonly devices: readonly TracedDevice[];
  readonly command: readonly string[];
}

/** One bar. Times in milliseconds. */
interface Slice {
  readonly name: string;
  readonly category: string;
  readonly begin: number;
  readonly end: number;
  readonly args: Details;
}

interface Row {
  readonly name: string;
  readonly slices: readonly Slice[];
}

/** Rows of what the host awaits while it does something else. */
const IN_FLIGHT: Partial<Record<Work, string>> = {
  wait: 'results',
  read: 'files',
  write: 'files',
  prepare: 'compiler',
};

/** The file's text, in pieces. */
export function* chromeTrace({ spans, spansLeft, devices, command }: Recorded): Generator<string> {
  yield '{"displayTimeUnit":"ms","traceEvents":[\n';
  yield* processEvents(1, 'host', hostRows(spans));
  for (const [i, device] of devices.entries()) {
    yield ',\n';
    yield* processEvents(2 + i, device.description, [deviceRow(device)]);
  }
  const metadata = {
    command,
    spansLeftOut: spansLeft,
    devices: devices.map(({ description, profiler: { clock, dispatches, left } }) => ({
      device: description,
      dispatches: dispatches.length,
      dispatchesLeftOut: left,
      times: clock.source === 'gpu' ? 'GPU timestamps' : 'host times',
      ...(clock.source === 'gpu' && { latestByMilliseconds: rounded(clock.uncertainty) }),
    })),
  };
  yield `\n],"otherData":${JSON.stringify(metadata)}}\n`;
}

function hostRows(spans: readonly Span[]): Row[] {
  const rows = new Map<string, Slice[]>();
  for (const { work, details = {}, begin, end, thread } of spans) {
    const name = thread ?? IN_FLIGHT[work] ?? 'main';
    const slices = rows.get(name) ?? [];
    slices.push({ name: work, category: 'host', begin, end, args: details });
    rows.set(name, slices);
  }
  const order = (name: string) => ['main', 'results', 'files', 'compiler'].indexOf(name) >>> 0;
  return [...rows]
    .map(([name, slices]) => ({ name, slices }))
    .sort((a, b) => order(a.name) - order(b.name) || a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function deviceRow({ profiler: { dispatches, clock } }: TracedDevice): Row {
  return {
    name: clock.source === 'gpu' ? 'dispatches (GPU timestamps)' : 'dispatches (host times)',
    slices: dispatches.map(({ kernel, cost, origin, begin, end }) => ({
      name: kernel,
      category: `dispatch,${origin?.backward ? 'backward' : 'forward'}`,
      begin: begin + clock.shift,
      end: end + clock.shift,
      args: {
        operation: origin?.operation ?? kernel,
        pass: origin?.backward ? 'backward' : 'forward',
        MFLOP: rounded(cost.flops / 1e6),
        MB: rounded(cost.bytes / 1e6),
        ...(cost.shape && { product: cost.shape }),
      },
    })),
  };
}

function* processEvents(pid: number, name: string, rows: readonly Row[]): Generator<string> {
  yield event({ ph: 'M', pid, name: 'process_name', args: { name } });
  yield `,\n${event({ ph: 'M', pid, name: 'process_sort_index', args: { sort_index: pid } })}`;
  let tid = 0;
  for (const { name, slices } of rows) {
    for (const [i, lane] of lanesOf(slices).entries()) {
      tid++;
      const args = { name: i === 0 ? name : `${name}, at the same time (${i + 1})` };
      yield `,\n${event({ ph: 'M', pid, tid, name: 'thread_name', args })}`;
      yield `,\n${event({ ph: 'M', pid, tid, name: 'thread_sort_index', args: { sort_index: tid } })}`;
      yield* beginsAndEnds(lane, pid, tid);
    }
  }
}

/** Spreads slices over as few rows as it takes for each to be within another of its row, or beside it. */
function lanesOf(slices: readonly Slice[]): Slice[][] {
  const lanes: { slices: Slice[]; open: Slice[] }[] = [];
  for (const slice of [...slices].sort((a, b) => a.begin - b.begin || b.end - a.end)) {
    let lane = lanes.find(({ open }) => {
      endBefore(slice.begin, open);
      return open.length === 0 || open.at(-1)!.end >= slice.end;
    });
    if (!lane) {
      lane = { slices: [], open: [] };
      lanes.push(lane);
    }
    lane.slices.push(slice);
    lane.open.push(slice);
  }
  return lanes.map(({ slices }) => slices);
}

/** Takes off a stack what has ended by then; returns it, innermost first. */
function endBefore(begin: number, open: Slice[]): Slice[] {
  const ended: Slice[] = [];
  for (let top = open.at(-1); top && top.end <= begin; top = open.at(-1)) ended.push(open.pop()!);
  return ended;
}

function* beginsAndEnds(lane: readonly Slice[], pid: number, tid: number): Generator<string> {
  const open: Slice[] = [];
  const end = ({ end }: Slice) => `,\n${event({ ph: 'E', pid, tid, ts: microseconds(end) })}`;
  for (const slice of lane) {
    for (const ended of endBefore(slice.begin, open)) yield end(ended);
    const { name, category: cat, begin, args } = slice;
    yield `,\n${event({ ph: 'B', pid, tid, ts: microseconds(begin), name, cat, args })}`;
    open.push(slice);
  }
  for (const rest of open.reverse()) yield end(rest);
}

interface TraceEvent {
  readonly ph: 'B' | 'E' | 'M';
  readonly pid: number;
  readonly tid?: number;
  readonly ts?: number;
  readonly name?: string;
  readonly cat?: string;
  readonly args?: Details;
}

const event = (one: TraceEvent): string => JSON.stringify(one);

/** To the nanosecond. */
const microseconds = (milliseconds: number): number => Math.round(milliseconds * 1e6) / 1e3;

const rounded = (number: number): number => Math.round(number * 1e3) / 1e3;
