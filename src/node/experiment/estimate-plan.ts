/** Measures on a device what a plan's images cost, and so how long the plan takes. */
import type { Backend } from '../../kernels/index.js';
import {
  type Estimate,
  estimate,
  type Plan,
  type SettingImages,
  type TrainingWork,
  trainingWork,
} from '../../ptdpc/experiment/index.js';
import { ClipModel, encodePixels, tuningOptions } from '../../ptdpc/index.js';
import type { Engine } from '../../tensor/index.js';
import type { ImageEncoder } from '../image-encoder.js';
import { openModelDirectory } from '../model-directory.js';
import { openCompared } from './context.js';
import { settingData } from './setting-data.js';

/** Images in a measured step; a larger batch costs in proportion. */
const STEP_IMAGES = 16;

const ENCODED_IMAGES = 8;

/**
 * Encodes some pictures of noise with every encoder, and trains two steps for each set of classes and mode of the plan: seconds with a real model. The step
 * before the one that is measured compiles.
 */
export async function estimatePlan(
  plan: Plan,
  device: { readonly backend: Backend },
  memory: number,
): Promise<Estimate & { images: number }> {
  const sizes = new Map<string, SettingImages>();
  const classes = new Map<string, readonly string[]>();
  const paths = new Set<string>();
  for (const setting of plan.settings) {
    const { train, val, test, classes: names } = await settingData(setting, 0);
    sizes.set(setting.name, { train: train.length, val: val?.length ?? 0, test: test.length });
    classes.set(
      setting.name,
      names.map(({ word }) => word),
    );
    for (const { path } of [...train, ...(val ?? []), ...test]) paths.add(path);
  }
  await using directory = await openModelDirectory(plan.configuration.model.directory);
  using clip = new ClipModel(device, directory, { memory });
  const works = trainingWork(plan, sizes);
  const steps = new Map<string, number>();
  const costOf = (work: Pick<TrainingWork, 'setting' | 'mode'>) =>
    `${classes.get(work.setting)!.join('\n')} ${work.mode}`;
  for (const work of works) {
    const key = costOf(work);
    if (!steps.has(key)) steps.set(key, await secondsOfStep(clip, plan, classes.get(work.setting)!, work));
  }
  let encoding = await secondsOfEncoding(clip);
  const { preprocess } = plan.configuration;
  for (const { path } of plan.experiments.includes('table4') ? plan.encoders : []) {
    await using encoder = await openCompared(path, { preprocess });
    encoding += await secondsOfEncoder(encoder, clip.engine);
  }
  const costs = { encoding, step: (work: Pick<TrainingWork, 'setting' | 'mode'>) => steps.get(costOf(work))! };
  return { images: paths.size, ...estimate(paths.size, works, costs) };
}

/** Of an image in a training step. */
async function secondsOfStep(
  clip: ClipModel,
  plan: Plan,
  classes: readonly string[],
  { mode }: Pick<TrainingWork, 'mode'>,
): Promise<number> {
  const { preset, batchSize } = plan.configuration;
  const options = tuningOptions(preset, { mode, epochs: 1, ...(batchSize !== null && { batchSize }) });
  const batch = Math.min(STEP_IMAGES, options.batchSize);
  const features = Float32Array.from(
    { length: 2 * batch * clip.width },
    (_, at) => Math.sin(at) / Math.sqrt(clip.width / 2),
  );
  const labels = Int32Array.from({ length: 2 * batch }, (_, i) => i % classes.length);
  const ends: number[] = [];
  const tuned = await clip.tune({
    classes,
    train: { features, labels },
    options: { ...options, batchSize: batch },
    onStep: () => void ends.push(performance.now()),
  });
  tuned[Symbol.dispose]();
  const seconds = (ends[1]! - ends[0]!) / 1000;
  // What prompts that do not depend on the image cost is the same for any batch.
  const perImage = mode === 'both' || mode === 'is';
  return seconds / (perImage ? batch : options.batchSize);
}

async function secondsOfEncoding(clip: ClipModel): Promise<number> {
  const noise = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      ...{ width: 224, height: 224, mode: 'RGB' as const },
      data: Uint8Array.from({ length: 224 * 224 * 3 }, (_, at) => (at * (i + 7)) % 256),
    }));
  await clip.embedImages(noise(1));
  const images = noise(ENCODED_IMAGES);
  const started = performance.now();
  await clip.embedImages(images);
  return (performance.now() - started) / 1000 / ENCODED_IMAGES;
}

/** The same for an encoder of Table 4, without the decoding of pictures, which it shares with the others. */
async function secondsOfEncoder(encoder: ImageEncoder, engine: Engine): Promise<number> {
  const { size } = encoder.preprocessing;
  const noise = (count: number) =>
    Array.from({ length: count }, (_, i) => Int32Array.from({ length: size * size }, (_, at) => at * (i + 7)));
  using tower = await encoder.load(engine);
  await encodePixels(tower, 'pooled', noise(1), encoder.preprocessing);
  const images = noise(ENCODED_IMAGES);
  const started = performance.now();
  await encodePixels(tower, 'pooled', images, encoder.preprocessing);
  return (performance.now() - started) / 1000 / ENCODED_IMAGES;
}
