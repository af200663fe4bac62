/** `--profile`: at a command's end, where its device's time went. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type KernelProfile, Profiler } from '../kernels/index.js';
import { type DeviceCeilings, measureCeilings } from '../node/ceilings/index.js';
import { say } from './output.js';
import { percent, table } from './tables.js';

/** What a command did on its device. */
interface DeviceRecord {
  readonly kind: 'cpu' | 'webgpu';
  readonly description: string;
  readonly profiler: Profiler;
  readonly counters: { readonly dispatches: number; readonly submits: number } | undefined;
}

let active = false;
let start = 0;
const devices: DeviceRecord[] = [];

/** Adds `--profile [file]` to a command that opens a device. */
export function addProfileOption(command: Command): void {
  command.option('--profile [file]', "say at the end where the device's time went; with a file, as JSON there too");
  command.hook('preAction', (_, action) => {
    active = action.opts().profile !== undefined;
    start = performance.now();
  });
  command.hook('postAction', async (_, action) => {
    const { profile } = action.opts<{ profile?: string | true }>();
    if (profile !== undefined) await report(profile === true ? undefined : profile);
  });
}

/** The profiler of the device that a command is about to open; undefined without `--profile`. */
export function newProfiler(): Profiler | undefined {
  return active ? new Profiler() : undefined;
}

/** Notes a device that was opened with a profiler. */
export function profileDevice(record: DeviceRecord): void {
  devices.push(record);
}

async function report(file: string | undefined): Promise<void> {
  const wall = (performance.now() - start) / 1000;
  const documents: object[] = [];
  for (const device of devices.splice(0)) {
    const ceilings = await measureCeilings(device.kind);
    const rows = kernelRows(device.profiler, ceilings);
    const inKernels = rows.reduce((sum, { seconds }) => sum + seconds, 0);
    documents.push({
      device: device.description,
      seconds: wall,
      secondsInKernels: inKernels,
      ...device.counters,
      ceilings,
      kernels: rows,
    });
    say(`profile of ${device.description}: ${wall.toFixed(2)} s, ${inKernels.toFixed(2)} s of it in kernels`);
    say(
      table([
        ['kernel', 'calls', 'seconds', 'share', 'GFLOP', 'GFLOP/s', 'MB', 'GB/s', 'of ceiling'],
        ...rows.map((row) => [
          row.kernel,
          String(row.calls),
          row.seconds.toFixed(3),
          percent(row.seconds / wall),
          row.flops > 0 ? (row.flops / 1e9).toFixed(2) : '',
          row.flops > 0 ? (row.flops / row.seconds / 1e9).toFixed(1) : '',
          (row.bytes / 1e6).toFixed(1),
          (row.bytes / row.seconds / 1e9).toFixed(2),
          percent(row.shareOfCeiling),
        ]),
        ['(not in kernels)', '', (wall - inKernels).toFixed(3), percent(1 - inKernels / wall), '', '', '', '', ''],
      ]),
    );
    say(`ceilings measured now: ${ceilings.gflops.toFixed(1)} GFLOP/s, copying ${ceilings.gbytes.toFixed(1)} GB/s`);
    if (device.counters) say(`${device.counters.dispatches} dispatches in ${device.counters.submits} submits`);
    if (device.kind === 'webgpu' && rows.length === 0)
      say('this adapter has no timestamp queries: no times of kernels');
  }
  if (file !== undefined) await writeFile(file, `${JSON.stringify(documents, null, 2)}\n`);
}

interface KernelRow extends KernelProfile {
  kernel: string;
  /** Of the ceiling that is nearer: arithmetic or copying. */
  shareOfCeiling: number;
}

function kernelRows(profiler: Profiler, { gflops, gbytes }: DeviceCeilings): KernelRow[] {
  return [...profiler.kernels]
    .map(([kernel, profile]) => {
      const { seconds, flops, bytes } = profile;
      const shareOfCeiling = Math.max(flops / seconds / 1e9 / gflops, bytes / seconds / 1e9 / gbytes);
      return { kernel, ...profile, shareOfCeiling };
    })
    .sort((a, b) => b.seconds - a.seconds);
}
