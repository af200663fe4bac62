/**
 * Memory at ViT-B/32's size, each measurement in a process of its own, so that peaks do not mix: a training step, one with a
 * thousand classes, the same by CoCoOp, and loading a checkpoint.
 */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { TextTower, VisionTower } from '../src/clip/towers/index.js';
import { openModelDirectory } from '../src/node/model-directory.js';
import { Engine } from '../src/tensor/index.js';
import { realSizeModel } from './models.js';
import { type BenchOptions, type DeviceName, onDevice } from './session.js';
import { resultRow, type StandaloneBenchmark } from './standalone.js';
import { trainingStepWorkload } from './workloads/training-step.js';

const MIB = 2 ** 20;
/** The default, which the training step of the benchmarks has. */
const BUDGET = 2 ** 30;
const MANY_CLASSES = 1000;
const MANY_CLASSES_BATCH = 2;
const COCOOP_BATCH = 32;

/** In bytes. */
interface MemoryReport {
  /** Most that the process had resident at once; on a software adapter this includes the device's memory. */
  readonly peakResident: number;
  /** Alive on the device before the step: weights and prompts. */
  readonly weights: number;
  /** Most that was held on the device, for whatever purpose. */
  readonly peakHeld: number;
}

const TASKS = {
  step: (device: DeviceName, { trainingBatch }: BenchOptions) => stepReport(device, trainingBatch, 8),
  classes: (device: DeviceName) => stepReport(device, MANY_CLASSES_BATCH, MANY_CLASSES),
  cocoop: (device: DeviceName) => stepReport(device, COCOOP_BATCH, MANY_CLASSES, true),
  load: loadReport,
};

export type MemoryTask = keyof typeof TASKS;

/** What a child process does: its task, then a JSON line. */
export async function reportMemory(task: string, device: DeviceName, options: BenchOptions): Promise<void> {
  const report = await TASKS[task as MemoryTask](device, options);
  console.log(JSON.stringify({ ...report, peakResident: process.resourceUsage().maxRSS * 1024 }));
}

type DeviceReport = Omit<MemoryReport, 'peakResident'>;

async function stepReport(device: DeviceName, batch: number, classes: number, cocoop = false): Promise<DeviceReport> {
  return onDevice(device, async (backend) => {
    const templateLength = cocoop ? 4 : 8;
    using step = await trainingStepWorkload(backend, { batch, classes, templateLength, cocoop });
    const weights = backend.memory.bytes;
    await step.run();
    return { weights, peakHeld: backend.memory.peakHeldBytes };
  });
}

/** Both towers, one after the other, as training and predicting load them. */
async function loadReport(device: DeviceName): Promise<DeviceReport> {
  return onDevice(device, async (backend) => {
    await using model = await openModelDirectory(realSizeModel('f32'));
    const engine = new Engine(backend);
    using _vision = await VisionTower.load(engine, model.clip, model.config);
    using _text = await TextTower.load(engine, model.clip, model.config);
    using fence = engine.zeros([1]);
    await fence.read();
    return { weights: backend.memory.bytes, peakHeld: backend.memory.peakHeldBytes };
  });
}

export const memoryBenchmarks: readonly StandaloneBenchmark[] = [
  {
    name: 'memory-step',
    devices: ['cpu', 'webgpu'],
    measure: async (device, options, program) =>
      stepRows(device, `batch ${options.trainingBatch}`, inChild('step', device, options, program)),
  },
  {
    name: 'memory-classes',
    devices: ['cpu', 'webgpu'],
    measure: async (device, options, program) =>
      stepRows(
        device,
        `${MANY_CLASSES} classes, batch ${MANY_CLASSES_BATCH}`,
        inChild('classes', device, options, program),
      ),
  },
  {
    name: 'memory-cocoop',
    devices: ['cpu', 'webgpu'],
    measure: async (device, options, program) =>
      stepRows(
        device,
        `CoCoOp, ${MANY_CLASSES} classes, batch ${COCOOP_BATCH}`,
        inChild('cocoop', device, options, program),
      ),
  },
  {
    name: 'memory-load',
    devices: ['cpu', 'webgpu'],
    async measure(device, options, program) {
      const file = statSync(join(realSizeModel('f32'), 'model.safetensors')).size / MIB;
      const { peakResident } = inChild('load', device, options, program);
      const resident = peakResident / MIB;
      const peer = ['size of the file', file] as const;
      return [resultRow('loading both towers from f32, peak resident', device, 'MiB', [resident], { peer })];
    },
  },
];

function stepRows(device: DeviceName, what: string, { peakResident, weights, peakHeld }: MemoryReport) {
  const work = `training step within 1 GiB, ${what}`;
  const beside = (peakHeld - weights) / MIB;
  const notes = `weights and prompts take ${Math.round(weights / MIB)} MiB more`;
  const peer = ['--memory', BUDGET / MIB] as const;
  return [
    resultRow(`${work}: held beside the weights`, device, 'MiB', [beside], { notes, peer }),
    resultRow(`${work}: process, resident`, device, 'MiB', [peakResident / MIB]),
  ];
}

/** Runs the task in a child process. */
function inChild(task: MemoryTask, device: DeviceName, { trainingBatch }: BenchOptions, program: string): MemoryReport {
  // The model first: a child would not be the only one to make it.
  if (task === 'load') realSizeModel('f32');
  const args = [program, '--memory-task', task, '--device', device, '--batch', String(trainingBatch)];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const line = stdout.split('\n').findLast((text) => text.startsWith('{'));
  if (!line) throw new Error(`the memory measurement failed: ${stderr.trim().split('\n').at(-1)}`);
  return JSON.parse(line) as MemoryReport;
}
