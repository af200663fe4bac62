/** Small trainings in a loop, in one process on one device: memory must not grow. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MemoryUse } from '../src/kernels/index.js';
import { type OpenedDevice, openDevice } from '../src/node/device.js';
import { tunePrompts } from '../src/node/tune-prompts.js';
import { tuningOptions } from '../src/ptdpc/index.js';
import { makeImages, makeModel, SMALL } from './jobs/inputs.js';
import type { Device } from './jobs/job.js';
import { Line } from './line.js';

const MIB = 2 ** 20;
const MEMORY = 64 * MIB;

/** A round takes seconds: one that takes longer than this was stopped on the way, and its time does not count. */
const LONGEST_ROUND = 60;

export interface SoakRequest {
  readonly device: Device;
  /** Asked after every round, with their number and the seconds that they took. */
  readonly goesOn: (rounds: number, seconds: number) => boolean;
  /** A round counts for the slopes after these: code is compiled and pools are filled by then. */
  readonly warmUp: { readonly rounds: number; readonly seconds: number };
  /** Beside the training, in every round. */
  readonly also?: (device: OpenedDevice) => void;
  readonly onRound?: (sample: Sample) => void;
}

/** After a round. */
export interface Sample extends Pick<MemoryUse, 'buffers' | 'bytes' | 'heldBytes'> {
  readonly round: number;
  readonly seconds: number;
  /** Bytes of the process. */
  readonly resident: number;
}

export interface SoakResult {
  readonly device: string;
  readonly rounds: number;
  /** What the slopes are of. */
  readonly counted: number;
  readonly hours: number;
  /** After the first round and after the last one. */
  readonly first: Sample;
  readonly last: Sample;
  /** Bytes an hour, by least squares. */
  readonly residentSlope: number;
  /** Live buffers and their bytes, a round. */
  readonly buffersSlope: number;
  readonly bytesSlope: number;
}

/**
 * A round is the whole of `ptdpc train` on 24 images, encoded anew, two epochs with validation, its run written and removed. The device
 * stays open, so that what a round leaves on it is seen.
 */
export async function soak(request: SoakRequest): Promise<SoakResult> {
  const { device: kind, goesOn, warmUp, also, onRound } = request;
  const scratch = await mkdtemp(join(tmpdir(), 'ptdpc-soak-'));
  try {
    const path = (name: string) => join(scratch, name);
    await makeModel(path('model'), SMALL);
    await makeImages(path('data/train'), 6, 1);
    await makeImages(path('data/val'), 2, 2);
    using device = await openDevice(kind);
    const { backend } = device;
    const kept: OpenedDevice = { backend, reason: device.reason, [Symbol.dispose]: () => {} };
    const options = tuningOptions('paper', { epochs: 2, batchSize: 8 });
    const [resident, buffers, bytes] = [new Line(), new Line(), new Line()];
    let seconds = 0;
    let first: Sample | undefined;
    let counted = 0;
    for (let round = 1; ; round++) {
      const started = performance.now();
      await tunePrompts({
        ...{ model: path('model'), data: path('data'), out: path('run'), options, memory: MEMORY },
        cacheDirectory: undefined,
        openDevice: async () => kept,
      });
      await rm(path('run'), { recursive: true });
      also?.(kept);
      const took = (performance.now() - started) / 1000;
      if (took <= LONGEST_ROUND) seconds += took;
      const { buffers: live, bytes: liveBytes, heldBytes } = backend.memory;
      const sample = {
        round,
        seconds,
        resident: process.memoryUsage.rss(),
        buffers: live,
        bytes: liveBytes,
        heldBytes,
      };
      first ??= sample;
      onRound?.(sample);
      if (round > warmUp.rounds && seconds >= warmUp.seconds) {
        counted++;
        resident.add(seconds / 3600, sample.resident);
        buffers.add(round, live);
        bytes.add(round, liveBytes);
      }
      if (goesOn(round, seconds)) continue;
      const [residentSlope, buffersSlope, bytesSlope] = [resident.slope, buffers.slope, bytes.slope];
      const what = { device: backend.description, rounds: round, counted, hours: seconds / 3600, first, last: sample };
      return { ...what, residentSlope, buffersSlope, bytesSlope };
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What is wrong, in words; undefined where memory is flat. `mostGrowth`: bytes that the process may grow by along the line. */
export function soakProblem({ first, last, residentSlope, hours }: SoakResult, mostGrowth: number): string | undefined {
  if (last.buffers !== first.buffers || last.bytes !== first.bytes) {
    return `${first.buffers} live buffers of ${first.bytes} bytes have become ${last.buffers} of ${last.bytes}`;
  }
  const growth = residentSlope * hours;
  if (growth <= mostGrowth) return undefined;
  return `resident memory grows by ${(growth / MIB).toFixed(1)} MiB, more than ${(mostGrowth / MIB).toFixed(1)}`;
}
