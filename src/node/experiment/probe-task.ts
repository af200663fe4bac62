/**
 * A task that trains a linear probe: Table 4's baselines. It takes seconds once features are there, so nothing of it is kept, and an
 * interrupted one starts again.
 */
import { type FrozenEncoder, type Task, taskOptions } from '../../ptdpc/experiment/index.js';
import { probeCell, probeOptions } from '../../ptdpc/index.js';
import type { ExperimentFeatures } from './features.js';
import type { SettingData } from './setting-data.js';
import type { TaskOutcome } from './tune-task.js';
import type { Workplace } from './workplace.js';

/** Runs the task. The learning rate is chosen as for prompts (see `tuneTask`). */
export async function probeTask(
  place: Workplace,
  task: Task,
  encoder: FrozenEncoder,
  { classes, train, val, test }: SettingData,
  features: ExperimentFeatures,
): Promise<TaskOutcome> {
  const { engine, memory, plan, events } = place;
  const { learningRates } = plan.configuration;
  const encode = (parts: Parameters<ExperimentFeatures['raw']>[2]) =>
    features.raw(encoder, task.setting.root, parts, classes);
  const [trained, validated, tested] = await encode([train, val ?? [], test]);
  const options = probeOptions(taskOptions(plan, task, { learningRate: learningRates[0]! }));
  // Where validation images are held out, the chosen rate is trained once more.
  const trainings = learningRates.length + Number(learningRates.length > 1 && !val);
  const splits = { train: trained!, val: val ? validated : undefined, test: tested! };
  using bar = events.progress(trainings * options.epochs, task.name, 'epochs');
  const { width } = place.encoders.get(encoder)!;
  const training = { engine, width, memory, classes: classes.length, onEpoch: () => bar.tick(1) };
  const rates = learningRates.length === 1 ? undefined : learningRates;
  const cell = { ...training, options, train: trained!, validation: splits.val, test: tested!, rates };
  return { ...(await probeCell(cell)), splits };
}
