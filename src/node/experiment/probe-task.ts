/**
 * A task that trains a linear probe: Table 4's baselines. It takes seconds once features are there, so an interrupted one starts again.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type FrozenEncoder, type Task, taskOptions } from '../../ptdpc/experiment/index.js';
import { probeCell, probeOptions } from '../../ptdpc/index.js';
import { writeProbeRun } from '../probe.js';
import { runImages, seenImages } from '../run-images.js';
import type { ExperimentContext } from './context.js';
import type { ExperimentFeatures } from './features.js';
import type { SettingData } from './setting-data.js';

/** Runs the task. The learning rate is chosen as for prompts (see `tuneTask`). `seconds` since the task began. */
export async function probeTask(
  place: ExperimentContext,
  task: Task,
  encoder: FrozenEncoder,
  { source, classes, train, val, test }: SettingData,
  features: ExperimentFeatures,
  seconds: () => number,
): Promise<void> {
  const { engine, memory, plan, events, strict, truncated, folder } = place;
  const { learningRates } = plan.configuration;
  const { root } = task.setting;
  const [trained, validated, tested] = await features.raw(encoder, root, [train, val ?? [], test], classes);
  const options = probeOptions(taskOptions(plan, task, { learningRate: learningRates[0]! }));
  // Where validation images are held out, the chosen rate is trained once more.
  const trainings = learningRates.length + Number(learningRates.length > 1 && !val);
  using bar = events.progress(trainings * options.epochs, task.name, 'epochs');
  const used = place.encoders.get(encoder)!;
  const splits = { train: trained!, validation: val ? validated : undefined, test: tested! };
  const result = await probeCell({
    ...{ engine, width: used.width, memory, classes: classes.length, options, ...splits },
    rates: learningRates.length === 1 ? undefined : learningRates,
    onEpoch: () => bar.tick(1),
  });
  const out = join(folder.runs(task.name), 'probe');
  // Without a result, what lies there is of other images.
  await rm(out, { recursive: true, force: true });
  const { path: deit } = plan.deit ?? { path: '' };
  await writeProbeRun({
    ...{ out, dataset: { ...source, classes }, features: used.features, options, result, ...splits },
    ...{ backend: engine.backend, memory, strict, truncated, seconds: seconds() },
    encoder: { directory: encoder === 'deit' ? deit : plan.configuration.model.directory, hash: () => used.hash() },
    seen: seenImages(runImages('train', trained!, classes, root), tested!, 'test'),
  });
}
