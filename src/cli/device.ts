/** A command's device: opened and reported on standard error, and profiled with `--profile` and `--trace`. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { InputError } from '../errors.js';
import type { DeviceChoice } from '../kernels/device-choice.js';
import type { KernelProfile } from '../kernels/index.js';
import type { DeviceCeilings } from '../lab/index.js';
import type { OpenedDevice } from '../node/device.js';
import type { ImageJob } from '../node/encode-splits.js';
import { listenToSpans, span } from '../trace.js';
import { cacheDirectory, type JobOptions } from './options.js';
import { say, sayHowToResume } from './output.js';
import { TERMINAL } from './progress.js';
import { percent, table } from './tables.js';
import type { TracedDevice } from './trace/chrome-trace.js';
import { HostRecorder } from './trace/host-recorder.js';
import { hostTable, operationTable } from './trace/tables.js';

let reported: string | undefined;

/**
 * As `openDevice`, reported (once, if a command opens the same one again). If the work that follows is `resumable`, says how.
 * `using` it closes the device on every path.
 */
export async function openReportedDevice(choice: DeviceChoice, resumable = false): Promise<OpenedDevice> {
  const device = await open(choice);
  const line = `device: ${device.backend.description}; ${choice === 'auto' ? `auto: ${device.reason}` : device.reason}`;
  if (line !== reported) {
    say(line);
    if (resumable) sayHowToResume();
  }
  reported = line;
  return device;
}

async function open(choice: DeviceChoice): Promise<OpenedDevice> {
  using _ = span('start', { device: choice });
  const { WebGpuBackend, Profiler } = await import('../kernels/index.js');
  const { openDevice } = await import('../node/device.js');
  const profiler = recording && new Profiler(recording.mostDispatches);
  const device = await openDevice(choice, { profiler, warn: say, trustShaders, ...(checkFinite && { checkFinite }) });
  const { backend } = device;
  if (profiler) {
    const counters = backend instanceof WebGpuBackend ? backend.counters : undefined;
    recording?.devices.push({ kind: backend.kind, description: backend.description, profiler, counters });
  }
  return device;
}

/** What a command did on its device. */
interface DeviceRecord extends TracedDevice {
  readonly kind: 'cpu' | 'webgpu';
  readonly counters: { readonly dispatches: number; readonly submits: number } | undefined;
}

const COLUMNS = ['calls', 'seconds', 'share', 'GFLOP', 'GFLOP/s', 'MB', 'GB/s', 'of ceiling'];

/** A step has some twenty kinds of products, a few of which matter; `--profile <file>` has all. */
const PRODUCTS_SHOWN = 10;

/** A trace of so many takes some 200 MB. */
const MOST_DISPATCHES = 500_000;

/** What `--profile` and `--trace` record. */
interface Recording {
  readonly host: HostRecorder;
  readonly devices: DeviceRecord[];
  /** Zero without `--trace`. */
  readonly mostDispatches: number;
}

let recording: Recording | undefined;
let checkFinite = false;
let trustShaders = false;

interface RecordingOptions {
  profile?: string | true;
  trace?: string;
}

/** Throws InputError if shaders are to be trusted where there are none. */
export function requireGpuToTrust({
  device,
  trustShaders = false,
}: {
  device?: string;
  trustShaders?: boolean | undefined;
}): void {
  if (trustShaders && device === 'cpu')
    throw new InputError(
      '--trust-shaders: expected --device webgpu or auto, found --device cpu, which runs no shaders',
    );
}

/** The options alone. */
export function addRecordingOptions(command: Command): void {
  command.option('--profile [file]', 'report where the time went; with a file, also as JSON there');
  command.option('--trace <file>', 'write what ran when, on host and device, as a trace for ui.perfetto.dev');
  command.option(
    '--check-finite',
    'stop at the first kernel that writes NaN or an infinity, and name it (several times slower)',
  );
  command.option(
    '--trust-shaders',
    'WebGPU: without bounds checks and zeroed memory; see ptdpc certify --trust-shaders',
  );
}

/** Adds `--profile [file]`, `--trace <file>` and `--check-finite` to a command that opens a device, and what they do. */
export function addProfileOption(command: Command): void {
  addRecordingOptions(command);
  command.hook('preAction', async (_, action) => {
    checkFinite = action.opts().checkFinite === true;
    trustShaders = action.opts().trustShaders === true;
    requireGpuToTrust(action.opts());
    const { profile, trace } = action.opts<RecordingOptions>();
    if (profile === undefined && trace === undefined) return;
    if (trace !== undefined) {
      const { requirePlaceForFile } = await import('../node/atomic.js');
      await requirePlaceForFile(trace);
    }
    const host = new HostRecorder(trace !== undefined);
    recording = { host, devices: [], mostDispatches: trace === undefined ? 0 : MOST_DISPATCHES };
    listenToSpans(host);
  });
  command.hook('postAction', async (_, action) => {
    const { profile, trace } = action.opts<RecordingOptions>();
    if (!recording) return;
    const { host, devices } = recording;
    listenToSpans(undefined);
    recording = undefined;
    host.finish();
    if (profile !== undefined) await report(host, devices, profile === true ? undefined : profile);
    if (trace !== undefined) await writeTrace(trace, host, devices);
  });
}

async function writeTrace(
  file: string,
  { spans, left: spansLeft }: HostRecorder,
  devices: readonly DeviceRecord[],
): Promise<void> {
  const { chromeTrace } = await import('./trace/chrome-trace.js');
  const { writeFileAtomically } = await import('../node/atomic.js');
  await writeFileAtomically(file, chromeTrace({ spans, spansLeft, devices, command: process.argv.slice(2) }));
  const kept = devices.reduce((sum, { profiler }) => sum + profiler.dispatches.length, 0);
  const left = devices.reduce((sum, { profiler }) => sum + profiler.left, 0);
  const count = kept.toLocaleString('en');
  say(`${file}: ${left > 0 ? `the first ${count} of ${(kept + left).toLocaleString('en')}` : count} dispatches`);
}

async function report(host: HostRecorder, devices: readonly DeviceRecord[], file: string | undefined): Promise<void> {
  const wall = host.milliseconds / 1000;
  const { measureCeilings } = await import('../node/ceilings.js');
  const documents: object[] = [];
  for (const device of devices) {
    const ceilings = await measureCeilings(device.kind);
    const rows = profileRows(device.profiler.kernels, ceilings);
    const products = profileRows(device.profiler.products, ceilings);
    const inKernels = rows.reduce((sum, { seconds }) => sum + seconds, 0);
    documents.push({
      device: device.description,
      seconds: wall,
      secondsInKernels: inKernels,
      ...device.counters,
      ceilings,
      kernels: rows,
      products,
      operations: Object.fromEntries(device.profiler.operations),
      host: host.rows(),
      threads: Object.fromEntries(host.threadSeconds),
    });
    say(`profile of ${device.description}: ${wall.toFixed(2)} s, ${inKernels.toFixed(2)} s of it in kernels`);
    say(
      table([
        ['kernel', ...COLUMNS],
        ...rows.map((row) => cells(row, wall)),
        ['(not in kernels)', '', (wall - inKernels).toFixed(3), percent(1 - inKernels / wall), '', '', '', '', ''],
      ]),
    );
    if (products.length > 0) {
      say('matrix products, largest first (operands n as stored or t transposed, m x n x k):');
      say(table([['product', ...COLUMNS], ...products.slice(0, PRODUCTS_SHOWN).map((row) => cells(row, wall))]));
    }
    say('operations, forward and backward:');
    say(operationTable(device.profiler.operations, wall));
    say(`ceilings measured now: ${ceilings.gflops.toFixed(1)} GFLOP/s, copying ${ceilings.gbytes.toFixed(1)} GB/s`);
    if (device.counters) say(`${device.counters.dispatches} dispatches in ${device.counters.submits} submits`);
    if (device.kind === 'webgpu' && rows.length === 0)
      say('this adapter has no timestamp queries: no times of kernels');
  }
  say('where the host was, from the start of the program:');
  say(hostTable(host.rows(), host.threadSeconds, wall));
  if (file !== undefined) await writeFile(file, `${JSON.stringify(documents, null, 2)}\n`);
}

interface ProfileRow extends KernelProfile {
  /** A kernel, or a product's sizes. */
  name: string;
  /** Of the ceiling that is nearer: arithmetic or copying. */
  shareOfCeiling: number;
}

function profileRows(profiles: ReadonlyMap<string, KernelProfile>, { gflops, gbytes }: DeviceCeilings): ProfileRow[] {
  return [...profiles]
    .map(([name, profile]) => {
      const { seconds, flops, bytes } = profile;
      const shareOfCeiling = Math.max(flops / seconds / 1e9 / gflops, bytes / seconds / 1e9 / gbytes);
      return { name, ...profile, shareOfCeiling };
    })
    .sort((a, b) => b.seconds - a.seconds);
}

function cells({ name, calls, seconds, flops, bytes, shareOfCeiling }: ProfileRow, wall: number): string[] {
  return [
    name,
    String(calls),
    seconds.toFixed(3),
    percent(seconds / wall),
    flops > 0 ? (flops / 1e9).toFixed(2) : '',
    flops > 0 ? (flops / seconds / 1e9).toFixed(1) : '',
    (bytes / 1e6).toFixed(1),
    (bytes / seconds / 1e9).toFixed(2),
    percent(shareOfCeiling),
  ];
}

/** A job on image files, as a command's options have it. It resumes if its features are cached, unless `resumable` says otherwise. */
export function imageJob(options: JobOptions, resumable?: boolean): ImageJob {
  const { device, memory, strict, truncated } = options;
  const cache = cacheDirectory(options);
  return {
    ...{ cacheDirectory: cache, memory, strict, truncated, events: TERMINAL },
    openDevice: () => openReportedDevice(device, resumable ?? cache !== undefined),
  };
}
