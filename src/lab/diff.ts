/**
 * One step on two devices side by side: pictures through the image tower, and a step of prompt tuning on their features. Every output of every
 * kernel is kept, so that the first place shows where the two part. Both start from the same weights; no rounding of the one reaches the
 * other, so that differences add up as they do in real work.
 */
import type { CanonicalClip } from '../clip/checkpoint/index.js';
import type { ClipConfig } from '../clip/config.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../clip/towers/index.js';
import { isBuffer } from '../kernels/cost.js';
import {
  type AnyArgs,
  type ArgsOf,
  anyKernel,
  type Backend,
  type Declaration,
  type DeviceBuffer,
  type DType,
  type HostArray,
  type Kernel,
  type MemoryUse,
  type Origin,
} from '../kernels/index.js';
import { accumulateGradient, createOptimizer, normalizedFeatures, PromptModel, tuningOptions } from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { type Comparison, compareOutputs } from './compare.js';

/** One kernel's call with what it wrote. */
interface RecordedCall {
  readonly kernel: Kernel;
  readonly origin: Origin | undefined;
  readonly outputs: readonly { readonly name: string; readonly values: Promise<HostArray> }[];
}

/** Runs kernels on another backend and keeps what they write. */
class RecordingBackend implements Backend {
  readonly calls: RecordedCall[] = [];
  readonly kind: 'cpu' | 'webgpu';
  readonly description: string;
  readonly arithmetic: string;
  readonly memory: MemoryUse;
  readonly packsHalves: boolean;
  readonly #inner: Backend;

  constructor(inner: Backend) {
    this.#inner = inner;
    ({
      kind: this.kind,
      description: this.description,
      arithmetic: this.arithmetic,
      memory: this.memory,
      packsHalves: this.packsHalves,
    } = inner);
  }

  allocate(dtype: DType, length: number): DeviceBuffer {
    return this.#inner.allocate(dtype, length);
  }

  free(buffer: DeviceBuffer): void {
    this.#inner.free(buffer);
  }

  limitMemory(bytes: number): void {
    this.#inner.limitMemory(bytes);
  }

  write(buffer: DeviceBuffer, data: ArrayLike<number>): void {
    this.#inner.write(buffer, data);
  }

  writeHalves(buffer: DeviceBuffer, bits: Uint16Array): void {
    this.#inner.writeHalves(buffer, bits);
  }

  read(buffer: DeviceBuffer): Promise<HostArray> {
    return this.#inner.read(buffer);
  }

  run<D extends Declaration>(kernel: Kernel<D>, args: ArgsOf<D>, origin?: Origin): void {
    this.#inner.run(kernel, args, origin);
    const outputs = Object.entries(kernel.operands).flatMap(([name, { access }]) => {
      const buffer = (args as AnyArgs)[name];
      // What is written in part holds what was there before in the rest, which may differ.
      return isBuffer(buffer) && (access === 'write' || access === 'update')
        ? [{ name, values: this.#inner.read(buffer) }]
        : [];
    });
    for (const { values } of outputs) values.catch(() => {});
    this.calls.push({ kernel: anyKernel(kernel), origin, outputs });
  }

  dispose(): void {}
}

/** How two devices differ in one kernel's call. */
export interface CallDifference {
  /** Its place among all calls, from 0. */
  readonly call: number;
  readonly kernel: string;
  readonly origin: Origin | undefined;
  readonly comparison: Comparison;
}

/** How two devices differ in a step. */
export interface StepDifference {
  readonly calls: number;
  /** The first call that differs by more than the bound. */
  readonly first: CallDifference | undefined;
  /** Of each kernel, the call that differs most. */
  readonly worst: readonly CallDifference[];
}

const PICTURES = 4;
const BUDGET = 2 ** 30;

/**
 * Runs the step on both devices and compares every call. `bound`: relative to the largest number of an output. Throws Error if the devices run
 * different kernels, and what they throw.
 */
export async function diffStep(
  devices: readonly [Backend, Backend],
  clip: CanonicalClip,
  config: ClipConfig,
  bound: number,
): Promise<StepDifference> {
  const [one, other] = [await recorded(devices[0], clip, config), await recorded(devices[1], clip, config)];
  const worst = new Map<string, CallDifference>();
  let first: CallDifference | undefined;
  for (const [call, { kernel, origin, outputs }] of one.entries()) {
    const beside = other[call];
    if (beside?.kernel.name !== kernel.name)
      throw new Error(`call ${call}: ${kernel.name} on one device, ${beside?.kernel.name ?? 'nothing'} on the other`);
    const values = async (all: RecordedCall['outputs']) =>
      Promise.all(
        all.map(async ({ name, values }) => {
          const numbers = Float64Array.from(await values);
          return { name, shape: [numbers.length], values: numbers, overrun: 0 };
        }),
      );
    if (outputs.length === 0) continue;
    const comparison = compareOutputs(await values(beside.outputs), await values(outputs), bound);
    const difference = { call, kernel: kernel.name, origin, comparison };
    if (comparison.wrong > 0) first ??= difference;
    const known = worst.get(kernel.name);
    if (!known || !(comparison.error <= known.comparison.error)) worst.set(kernel.name, difference);
  }
  const sorted = [...worst.values()].sort((a, b) => b.comparison.error - a.comparison.error);
  return { calls: one.length, first, worst: sorted };
}

async function recorded(device: Backend, clip: CanonicalClip, config: ClipConfig): Promise<RecordedCall[]> {
  const backend = new RecordingBackend(device);
  const engine = new Engine(backend);
  const { imageSize } = config.vision;
  const pixels = Float32Array.from({ length: PICTURES * 3 * imageSize ** 2 }, (_, i) => Math.sin(0.37 * i));
  using images = await VisionTower.load(engine, clip, config);
  using encoded = engine.scope(
    () => images.encode(engine.tensor(pixels, [PICTURES, 3, imageSize, imageSize])).features,
  );
  const features = normalizedFeatures(await encoded.read(), config.projectionDim);
  const labels = Int32Array.from({ length: PICTURES }, (_, i) => i);
  const options = tuningOptions('paper', { batchSize: PICTURES });
  using tower = await TextTower.load(engine, clip, config);
  const ids = config.text.vocabularySize;
  const text = {
    sot: ids - 2,
    eot: ids - 1,
    template: [1, 2, 3, 4],
    classes: Array.from({ length: PICTURES }, (_, i) => [10 + i]),
  };
  using model = await PromptModel.create(tower, new TokenEmbeddings(clip), text, options);
  using optimizer = createOptimizer(model, options);
  await accumulateGradient(model, { features, labels }, BUDGET);
  optimizer.step(options.learningRate);
  return backend.calls;
}
