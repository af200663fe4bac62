/** `ptdpc lab run`: checks and times a kernel on a device, the shipped variants and the user's file, again after each save with `--watch`. */
import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { decodeText } from '../../clip/text-file.js';
import { InputError } from '../../errors.js';
import { type AnyArgs, CpuBackend, caseOf, type Kernel, type Sizes, type WebGpuBackend } from '../../kernels/index.js';
import {
  type DeviceCeilings,
  readUserKernel,
  requireSizes,
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
import { type Progress, progress } from '../progress.js';
import { printTimings, printTrial, timingsJson, trialJson } from './page.js';

export interface RunOptions {
  variant?: string;
  shape?: Sizes;
  device: 'webgpu' | 'cpu';
  watch?: boolean;
  json?: boolean;
}

export async function runKernel(kernel: Kernel, options: RunOptions): Promise<void> {
  const { variant, shape = {}, device, watch } = options;
  requireSizes(kernel, shape, '--shape ');
  if (variant === undefined && watch) throw new InputError('--watch: it watches a file, and --variant names none');
  if (device === 'cpu') {
    if (variant !== undefined) throw new InputError('--device cpu: a WGSL file runs on WebGPU only');
    return timeOnCpu(kernel, options);
  }
  if (variant !== undefined) await readVariant(variant);
  await requireAdapter();
  const ceilings = await measureCeilings('webgpu');
  // An adapter gives one device, and measuring took one.
  const backend = await openWebGpu(await requireAdapter(), { poison: true });
  try {
    say(`device: ${backend.description}`);
    if (variant === undefined) return await timeShipped(backend, kernel, options, ceilings);
    if (!watch) {
      await tryFile(backend, kernel, variant, options, ceilings);
      return;
    }
    await onEverySave(variant, async () => {
      try {
        await tryFile(backend, kernel, variant, options, ceilings);
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
  { shape = {}, json }: RunOptions,
  ceilings: DeviceCeilings,
): Promise<void> {
  const test = caseOf(kernel, shape);
  using bar = new StepBar();
  const timings = await timeVariants(backend, test, [], (step, done, all) => bar.at(step, done, all));
  bar.stop();
  if (json) printJson({ device: backend.description, case: test.name, ceilings, ...timingsJson(timings) });
  else printTimings(test.name, timings, ceilings);
}

/** Throws InputError, after all was printed, if the file does not compile or is wrong. */
async function tryFile(
  backend: WebGpuBackend,
  kernel: Kernel,
  file: string,
  { shape = {}, json }: RunOptions,
  ceilings: DeviceCeilings,
): Promise<void> {
  const text = await readVariant(file);
  const user = readUserKernel(kernel, file, text);
  using bar = new StepBar();
  const trial = await tryKernel(backend, user, shape, (step, done, all) => bar.at(step, done, all));
  bar.stop();
  const name = caseOf(kernel, shape).name;
  if (json)
    printJson({ device: backend.description, kernel: kernel.name, file, case: name, ceilings, ...trialJson(trial) });
  else printTrial(file, text, name, trial, ceilings);
  if (!trial.parity) throw new NegativeResult(`${file}: it does not compile`);
  if (trial.parity.wrong.length > 0) throw new NegativeResult(`${file}: it is wrong`);
  if (trial.parity.unstable.length > 0) throw new NegativeResult(`${file}: its results change from run to run`);
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

export class StepBar implements Disposable {
  #step = '';
  #done = 0;
  #bar: Progress | undefined;

  at(step: string, done: number, all: number): void {
    if (step !== this.#step) {
      this.stop();
      this.#bar = progress(all, step);
      this.#step = step;
      this.#done = 0;
    }
    this.#bar?.tick(done - this.#done);
    this.#done = done;
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#step = '';
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
