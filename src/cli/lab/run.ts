/** `ptdpc lab run`: checks and times a kernel on a device, the shipped variants and the user's file, again after each save with `--watch`. */
import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { decodeText } from '../../clip/text-file.js';
import { counted, InputError } from '../../errors.js';
import { type AnyArgs, CpuBackend, caseOf, type Kernel, type Sizes, type WebGpuBackend } from '../../kernels/index.js';
import {
  type DeviceCeilings,
  faultOf,
  readUserKernel,
  requireSizes,
  shippedVariant,
  type Timings,
  timeContestants,
  timeVariants,
  tryKernel,
} from '../../lab/index.js';
import { measureCeilings } from '../../node/ceilings.js';
import { installHint, openCpu, openWebGpu } from '../../node/device.js';
import { closeGpu, nodeAdapter } from '../../node/gpu.js';
import { explained, isSystemError } from '../../node/system-error.js';
import { NegativeResult, printJson, say } from '../output.js';
import { printJudged, printTimings, printTrial, timingsJson, trialJson } from './page.js';
import { StepBar } from './step-bar.js';

export interface RunOptions {
  variant?: string;
  shape?: Sizes;
  device: 'webgpu' | 'cpu';
  /** The shipped variant to compare with. */
  against?: string;
  /** Seconds that the device may be silent. */
  timeLimit: number;
  watch?: boolean;
  json?: boolean;
}

export async function runKernel(kernel: Kernel, options: RunOptions): Promise<void> {
  const { variant, shape = {}, device, against, watch } = options;
  requireSizes(kernel, shape, '--shape ');
  if (variant === undefined && watch) throw new InputError('--watch: it watches a file, and --variant names none');
  if (variant === undefined && against !== undefined)
    throw new InputError('--against: it names what a file is compared with, and --variant names none');
  if (against !== undefined) shippedVariant(kernel, against, '--against');
  if (device === 'cpu') {
    if (variant !== undefined) throw new InputError('--device cpu: a WGSL file runs on WebGPU only');
    return timeOnCpu(kernel, options);
  }
  if (variant !== undefined) await readVariant(variant);
  await requireAdapter();
  const machine: Machine = { caution: loadCaution(), ceilings: await measureCeilings('webgpu') };
  // An adapter gives one device, and measuring took one.
  const backend = await openWebGpu(await requireAdapter(), { poison: true });
  try {
    say(`device: ${backend.description}`);
    if (variant === undefined) return await timeShipped(backend, kernel, options, machine);
    if (!watch) {
      await tryFile(backend, kernel, variant, options, machine);
      return;
    }
    await onEverySave(variant, async () => {
      try {
        await tryFile(backend, kernel, variant, options, machine);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        say(`ptdpc: ${error.message}`);
      }
      say(`watching ${variant}; Ctrl-C ends`);
    });
  } finally {
    backend.dispose();
    closeGpu();
  }
}

async function timeShipped(
  backend: WebGpuBackend,
  kernel: Kernel,
  { shape = {}, timeLimit, json }: RunOptions,
  machine: Machine,
): Promise<void> {
  const test = caseOf(kernel, shape);
  using bar = new StepBar(kernel.name, timeLimit);
  const { judged, timings } = await timeVariants(backend, test, [], (step, done, all) => bar.at(step, done, all));
  bar.stop();
  if (json) {
    const { description: device } = backend;
    printJson({ device, case: test.name, ...machine, judged, ...(timings && timingsJson(timings)) });
  } else {
    printJudged(test.name, judged);
    if (timings) printTimings(test.name, timings, machine.ceilings);
  }
  if (machine.caution !== undefined) say(machine.caution);
  const [wrong] = judged.wrong;
  if (wrong) throw new NegativeResult(`${wrong.name}: it is wrong on this device`);
}

/** Throws InputError, after all was printed, if the file does not compile or is wrong. */
async function tryFile(
  backend: WebGpuBackend,
  kernel: Kernel,
  file: string,
  { shape = {}, against, timeLimit, json }: RunOptions,
  machine: Machine,
): Promise<void> {
  const text = await readVariant(file);
  const user = readUserKernel(kernel, file, text);
  using bar = new StepBar(file, timeLimit);
  const trial = await tryKernel(backend, user, shape, (step, done, all) => bar.at(step, done, all), against);
  bar.stop();
  const name = caseOf(kernel, shape).name;
  if (json)
    printJson({ device: backend.description, kernel: kernel.name, file, case: name, ...machine, ...trialJson(trial) });
  else printTrial(file, text, name, trial, machine.ceilings);
  if (trial.timings && machine.caution !== undefined) say(machine.caution);
  const fault = faultOf(trial);
  if (fault !== undefined) throw new NegativeResult(`${file}: ${fault}`);
}

/** The twin, and WebAssembly if it does this kernel. */
async function timeOnCpu(kernel: Kernel, { shape = {}, json }: RunOptions): Promise<void> {
  const ceilings = await measureCeilings('cpu');
  const test = caseOf(kernel, shape);
  const twin = new CpuBackend({ wasm: false });
  const compiled = openCpu();
  say(`device: ${compiled.description}`);
  using bar = new StepBar();
  const contestants = [
    { name: 'twin', device: twin },
    { name: 'compiled', device: compiled },
  ].map(({ name, device }) => ({ name, device, run: (args: AnyArgs) => device.run(kernel, args) }));
  const timings: Timings = await timeContestants(test, contestants, (step, done, all) => bar.at(step, done, all));
  bar.stop();
  compiled.dispose();
  if (json) printJson({ device: compiled.description, case: test.name, ceilings, ...timingsJson(timings) });
  else printTimings(test.name, timings, ceilings);
}

/** The machine when the command began. */
interface Machine {
  readonly ceilings: DeviceCeilings;
  /** Why times may vary. */
  readonly caution: string | undefined;
}

/** A caution where other programs take much of this machine. */
function loadCaution(): string | undefined {
  const [load = 0] = loadavg();
  const processors = availableParallelism();
  if (load <= BUSY * processors) return undefined;
  return `caution: the machine is busy (load average ${load.toFixed(1)}, ${counted(processors, 'processor')}): times vary`;
}

/** A load per processor that is not idle. */
const BUSY = 0.5;

/** Throws InputError if this machine has no WebGPU adapter. */
export async function requireAdapter(): Promise<GPUAdapter> {
  const adapter = await nodeAdapter();
  if (!adapter) throw new InputError(`no WebGPU adapter on this machine; ${installHint()}`);
  return adapter;
}

/** A WGSL file of the user's. Throws InputError if it cannot be read. */
export async function readVariant(file: string): Promise<string> {
  try {
    return decodeText(await readFile(file), file);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new InputError(`${file}: cannot be read (${explained(error)})`);
  }
}

/** Polled, since editors save by rename, which events of the file itself miss. */
const POLL_MILLISECONDS = 200;

/**
 * Never returns unless `job` throws. A file that is gone (between two steps of a save) is waited for; saves during a run lead to one more
 * run.
 */
export async function onEverySave(file: string, job: () => Promise<void>): Promise<never> {
  let wake = (): void => {};
  let saves = 0;
  let seen = 0;
  watchFile(file, { interval: POLL_MILLISECONDS }, (now) => {
    if (now.mtimeMs === 0) return;
    saves++;
    wake();
  });
  try {
    for (;;) {
      await job();
      if (saves === seen) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      seen = saves;
    }
  } finally {
    unwatchFile(file);
  }
}
