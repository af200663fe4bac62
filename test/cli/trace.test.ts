/** `--trace`: a file that trace viewers read, the same dispatches as `--profile` counts, and nothing without it. */
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { nodeAdapter } from '../../src/node/gpu.js';
import { expectRefused, fixture, ptdpc, scratchPath, setUpProgram } from './program.js';
import { setUpModelAndImages, trainArgs } from './tuning/support.js';

setUpProgram();
setUpModelAndImages();

const hasAdapter = (await nodeAdapter().catch(() => null)) !== null;

interface TraceEvent {
  ph: 'B' | 'E' | 'M';
  pid: number;
  tid?: number;
  ts?: number;
  name?: string;
  cat?: string;
  args?: Record<string, string | number>;
}

interface Trace {
  traceEvents: TraceEvent[];
  otherData: { command: string[]; devices: { device: string; dispatches: number; times: string }[] };
}

interface Bar {
  name: string;
  category: string;
  begin: number;
  end: number;
  args: Record<string, string | number>;
  /** The one around it, in its row. */
  within: string | undefined;
}

/** The bars of a trace, by process. Fails if a begin has no end, an end no begin, or a row goes back in time. */
function barsOf({ traceEvents }: Trace): Map<number, Bar[]> {
  const open = new Map<string, Bar[]>();
  const last = new Map<string, number>();
  const bars = new Map<number, Bar[]>();
  for (const { ph, pid, tid, ts, name, cat, args } of traceEvents) {
    if (ph === 'M') continue;
    const row = `${pid} ${tid}`;
    expect(ts).toBeGreaterThanOrEqual(last.get(row) ?? Number.NEGATIVE_INFINITY);
    last.set(row, ts!);
    const stack = open.get(row) ?? [];
    open.set(row, stack);
    if (ph === 'B') {
      stack.push({ name: name!, category: cat!, begin: ts!, end: 0, args: args!, within: stack.at(-1)?.name });
      continue;
    }
    const bar = stack.pop();
    expect(bar, `an end without a begin in row ${row}`).toBeDefined();
    bars.set(pid, [...(bars.get(pid) ?? []), { ...bar!, end: ts! }]);
  }
  expect([...open.values()].flat()).toEqual([]);
  return bars;
}

const embed = (device: string, name: string): string[] => [
  ...['embed', fixture('preprocess/j5_640x480_RGB.jpg'), fixture('preprocess/03_100x80_RGB.png')],
  ...['--model', fixture('clip-tiny'), '--no-cache', '--device', device, '--out', scratchPath(`${name}.safetensors`)],
];

describe.each([
  ['cpu', true],
  ['webgpu', hasAdapter],
] as const)('on %s', (device, there) => {
  test.skipIf(!there)(
    'has every dispatch that the profile counts, and what the host did',
    async () => {
      const [trace, profile] = [scratchPath(`${device}.trace.json`), scratchPath(`${device}.profile.json`)];
      const { code, stderr } = await ptdpc([...embed(device, device), '--trace', trace, '--profile', profile]);
      expect(code, stderr).toBe(0);
      const read = JSON.parse(await readFile(trace, 'utf8')) as Trace;
      const [counted] = JSON.parse(await readFile(profile, 'utf8')) as [
        {
          kernels: { name: string; calls: number; seconds: number }[];
          operations: Record<string, Record<'forward' | 'backward', { calls: number; seconds: number }>>;
          host: { work: string; seconds: number }[];
          seconds: number;
          dispatches?: number;
        },
      ];
      const bars = barsOf(read);
      const dispatches = bars.get(2)!;
      const calls = (name: string) => dispatches.filter((bar) => bar.name === name).length;
      expect(Object.fromEntries(counted.kernels.map(({ name }) => [name, calls(name)]))).toEqual(
        Object.fromEntries(counted.kernels.map(({ name, calls }) => [name, calls])),
      );
      expect(dispatches).toHaveLength(counted.dispatches ?? dispatches.length);
      expect(read.otherData.devices).toMatchObject([{ dispatches: dispatches.length }]);
      expect(dispatches.every(({ category }) => category === 'dispatch,forward')).toBe(true);
      expect(new Set(dispatches.map(({ args }) => args.operation))).toEqual(new Set(Object.keys(counted.operations)));

      const host = bars.get(1)!;
      const works = host.map(({ name }) => name);
      for (const work of ['start', 'read', 'decode', 'preprocess', 'load', 'encode', 'write'])
        expect(works).toContain(work);
      if (device === 'webgpu') {
        expect(read.otherData.devices[0]!.times).toMatch(/^(?:GPU timestamps|host times)$/);
        expect(works.filter((work) => work === 'record')).toHaveLength(dispatches.length);
        // A kernel is compiled where it is first recorded.
        for (const { name, within } of host) if (name === 'compile') expect(within).toBe('record');
        const waits = host.filter(({ name }) => name === 'wait');
        const lastEnd = Math.max(...dispatches.map(({ end }) => end));
        expect(lastEnd).toBeLessThanOrEqual(Math.max(...waits.map(({ end }) => end)));
      } else expect(read.otherData.devices[0]!.times).toBe('host times');
      // The kinds of work make up the whole time.
      expect(counted.host.reduce((sum, { seconds }) => sum + seconds, 0)).toBeCloseTo(counted.seconds, 6);
    },
    60_000,
  );
});

test('of a training, forward and backward, each step within its epoch', async () => {
  const trace = scratchPath('train.trace.json');
  const { code, stderr } = await ptdpc(trainArgs('run', '--epochs', '1', '--trace', trace));
  expect(code, stderr).toBe(0);
  expect(stderr).not.toContain('profile of');
  const bars = barsOf(JSON.parse(await readFile(trace, 'utf8')) as Trace);
  const host = bars.get(1)!;
  const within = (name: string) => new Set(host.filter((bar) => bar.name === name).map((bar) => bar.within));
  expect(within('step')).toEqual(new Set(['epoch']));
  for (const part of ['forward', 'backward', 'update']) expect(within(part)).toEqual(new Set(['step']));
  const backward = host.filter(({ name }) => name === 'backward');
  const dispatches = [...bars].filter(([pid]) => pid > 1).flatMap(([, ofDevice]) => ofDevice);
  const inBackward = dispatches.filter(({ category }) => category === 'dispatch,backward');
  expect(inBackward.length).toBeGreaterThan(0);
  for (const { begin, end } of inBackward)
    expect(backward.some((pass) => pass.begin <= begin && end <= pass.end)).toBe(true);
});

test('a trace that cannot be written is refused before the work', async () => {
  await expectRefused(
    [...embed('cpu', 'refused'), '--trace', fixture('clip-tiny')],
    /clip-tiny: expected the name of a file to write, found a folder/,
  );
  await expectRefused(
    [...embed('cpu', 'refused'), '--trace', fixture('clip-tiny/config.json/trace.json')],
    /trace\.json: cannot be written/,
  );
  expect(await readdir(scratchPath('.'))).not.toContain('refused.safetensors');
});

test('without --trace nothing is written or said', async () => {
  const { code, stdout, stderr } = await ptdpc(embed('cpu', 'plain'));
  expect([code, stdout]).toEqual([0, '']);
  expect(stderr).not.toMatch(/dispatches|profile/);
});
