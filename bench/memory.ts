/** Memory of one training step at ViT-B/32's size, each device in a process of its own, so that peaks do not mix. */
import { spawnSync } from 'node:child_process';
import { openCpu } from '../src/node/device.js';
import type { Result } from './benchmark.js';
import { closeWebGpu, type DeviceName, openWebGpu } from './session.js';
import { trainingStepWorkload } from './workloads/training-step.js';

const MIB = 2 ** 20;

/** In bytes. */
interface MemoryReport {
  /** Most that the process had resident at once; on a software adapter this includes the device's buffers. */
  readonly peakResident: number;
  /** Buffers alive before the step: weights, mostly. */
  readonly weights: number;
  /** Most bytes of buffers alive at once. */
  readonly peakBuffers: number;
}

/** What the child process does: one step, then a JSON line. */
export async function reportMemory(device: DeviceName, batch: number): Promise<void> {
  const webGpu = device === 'webgpu' ? await openWebGpu() : undefined;
  const backend = webGpu ?? openCpu();
  using step = await trainingStepWorkload(backend, batch);
  const weights = backend.memory.bytes;
  await step.run();
  const report: MemoryReport = {
    peakResident: process.resourceUsage().maxRSS * 1024,
    weights,
    peakBuffers: backend.memory.peakBytes,
  };
  console.log(JSON.stringify(report));
  if (webGpu) closeWebGpu(webGpu);
  else backend.dispose();
}

/** Runs the child process and makes rows of what it says. `program` is this bundle. */
export function measureMemory(program: string, device: DeviceName, batch: number): Result[] {
  const { stdout, stderr } = spawnSync(process.execPath, [program, '--memory-of', device, '--batch', String(batch)], {
    encoding: 'utf8',
  });
  const line = stdout.split('\n').findLast((text) => text.startsWith('{'));
  if (!line) throw new Error(`the memory measurement failed: ${stderr.split('\n').at(-2)}`);
  const { peakResident, weights, peakBuffers } = JSON.parse(line) as MemoryReport;
  const work = `peak memory of a training step, batch ${batch}`;
  const notes = `of the buffers, ${Math.round(weights / MIB)} MiB are weights`;
  return [
    row(work, `${device}, process (resident)`, peakResident, ''),
    row(work, `${device}, buffers`, peakBuffers, notes),
  ];
}

function row(work: string, device: string, bytes: number, notes: string): Result {
  const ours = bytes / MIB;
  const none = { peer: null, peerName: null, ratio: null, ceiling: null, gflops: null, peers: [] };
  return { work, device, unit: 'MiB', ours, spread: [ours, ours], ...none, notes };
}
