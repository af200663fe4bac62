/** `ptdpc lab diff`: one training step on two devices side by side. */
import { InputError } from '../../errors.js';
import { type Backend, CpuBackend } from '../../kernels/index.js';
import { type CallDifference, diffStep } from '../../lab/index.js';
import { demoModelDirectory } from '../../node/demo-scenes.js';
import { openCpu, openWebGpu } from '../../node/device.js';
import { closeGpu } from '../../node/gpu.js';
import { openModelDirectory } from '../../node/model-directory.js';
import { NegativeResult, print, printJson, printLines, say } from '../output.js';
import { table } from '../tables.js';
import { requireAdapter } from './run.js';

export const DIFF_DEVICES = ['cpu', 'webgpu', 'twin', 'oracle'] as const;
export type DiffDevice = (typeof DIFF_DEVICES)[number];

export interface DiffOptions {
  model?: string;
  bound: number;
  json?: boolean;
}

export async function diffDevices(
  from: DiffDevice,
  to: DiffDevice,
  { model = demoModelDirectory(), bound, json }: DiffOptions,
): Promise<void> {
  if (from === to) throw new InputError(`${from} and ${to}: expected two different devices`);
  await using directory = await openModelDirectory(model);
  const devices: Backend[] = [];
  try {
    for (const one of [from, to]) devices.push(await open(one));
    const [one, other] = devices as [Backend, Backend];
    say(`from: ${one.description}`);
    say(`to:   ${other.description}`);
    const { calls, first, worst } = await diffStep([one, other], directory.clip, directory.config, bound);
    if (json) printJson({ from: one.description, to: other.description, bound, calls, first: first ?? null, worst });
    else {
      print(`${calls} kernel calls of a training step; differences are relative to the largest number of an output`);
      print('');
      printLines(table([['kernel', 'largest difference', 'call', 'of'], ...worst.map(cells)]));
      print('');
      print(first ? `they part at ${where(first)}` : `none differs by more than ${bound}`, first ? 'red' : 'green');
    }
    if (first) throw new NegativeResult(`the devices differ by more than ${bound}`);
  } finally {
    for (const device of devices) device.dispose();
    closeGpu();
  }
}

/** Poisoned, so that memory that was never written is equal on both. */
async function open(device: DiffDevice): Promise<Backend> {
  if (device === 'webgpu') return openWebGpu(await requireAdapter(), { poison: true });
  if (device === 'cpu') return openCpu({ poison: true });
  return new CpuBackend({ poison: true, wasm: false, precision: device === 'oracle' ? 'f64' : 'f32' });
}

function cells({ kernel, call, origin, comparison }: CallDifference): string[] {
  return [kernel, comparison.error.toExponential(1), String(call), placeOf(origin)];
}

function placeOf(origin: CallDifference['origin']): string {
  if (!origin) return '';
  return origin.backward ? `${origin.operation}, backward` : origin.operation;
}

function where({ kernel, call, origin, comparison: { worst, wrong, elements } }: CallDifference): string {
  const element = worst ? `; ${worst.output}[${worst.index.join(', ')}] is ${worst.expected} and ${worst.found}` : '';
  return `call ${call}, ${kernel} (${placeOf(origin)}): ${wrong} of ${elements} numbers${element}`;
}
