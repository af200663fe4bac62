/** Computes a task of a study: trains, writes its run and what it cost, looks at what choosing on the test images would have given, and last the result. */
import { join } from 'node:path';
import { featureLearnerNamed, featureLogits } from '../../learners/features/index.js';
import { evaluate, zeroShotTexts } from '../../ptdpc/index.js';
import { isRowPerImage, type RowWork, rowWork, type StudyCost, type StudyTask } from '../../ptdpc/study/index.js';
import type { WorkContext } from '../experiment/context.js';
import type { ExperimentFeatures } from '../experiment/features.js';
import { probeTask, promptsTask, zeroShotTask } from '../experiment/learner-tasks.js';
import { type SettingData, settingData } from '../experiment/setting-data.js';
import type { WorkTask } from '../experiment/tune-task.js';
import { featureJobOn, writeFitted } from '../fit-features.js';
import { removeOwn } from '../own-files.js';
import { writeResult } from '../results.js';
import { runImages, seenImages } from '../run-images.js';
import { EpochLog } from './epoch-log.js';
import type { MeteredBackend } from './metered-backend.js';
import { featuresOnTest, looksAt, probeOnTest, promptsOnTest } from './on-test.js';
import { type OnTest, writeCost, writeOnTest } from './task-files.js';

/** What the tasks of one process share. */
export interface StudyContext extends WorkContext {
  readonly features: ExperimentFeatures;
  /** The engine's. */
  readonly meter: MeteredBackend;
  readonly testSelection: boolean;
}

/** One task, and its images. */
interface Given {
  readonly place: StudyContext;
  readonly task: WorkTask;
  readonly folder: string;
  readonly data: SettingData;
  /** Since the task began. */
  readonly seconds: () => number;
}

/** Runs the task. */
export async function runStudyTask(place: StudyContext, { name, dataset, row, shots, seed }: StudyTask): Promise<void> {
  const started = performance.now();
  await place.folder.makeTaskFolder(name);
  const data = await settingData(dataset, seed, shots);
  const given: Given = {
    ...{ place, data, folder: place.folder.runs(name) },
    task: { name, seed, root: dataset.root },
    seconds: () => (performance.now() - started) / 1000,
  };
  const work = rowWork(row, shots, seed);
  switch (work.kind) {
    case 'zero-shot':
      return await zeroShotTask(place, given.task, work.template, data, place.features, given.seconds);
    case 'prompts':
      return await prompts(given, work);
    case 'features':
      return await onFeatures(given, work);
    case 'probe':
      return await probe(given, work);
  }
}

type Work<Kind extends RowWork['kind']> = Extract<RowWork, { kind: Kind }>;

async function prompts(
  { place, task, folder, data, seconds }: Given,
  { rates, options }: Work<'prompts'>,
): Promise<void> {
  const { meter, features, testSelection } = place;
  const [rate = 0] = rates;
  const { epochs } = options(rate);
  const looks = testSelection ? looksAt(epochs, isRowPerImage(options(rate))) : () => false;
  const watch = new EpochLog(folder, meter, looks);
  await promptsTask(place, task, { rates, options, watch }, data, features, seconds, async ({ parameters, test }) => {
    const logged = await watch.read();
    const sum = (of: 'seconds' | 'flops') => logged.reduce((all, epoch) => all + epoch[of], 0);
    await writeCost(folder, {
      ...{ seconds: sum('seconds'), flops: sum('flops'), parameters },
      peakBytes: logged.reduce((most, { peakBytes }) => Math.max(most, peakBytes), 0),
    });
    await keep(folder, testSelection ? await promptsOnTest(place, logged, options(rate), data.classes, test) : null);
  });
  await watch.remove();
}

async function onFeatures(
  { place, task, folder, data, seconds }: Given,
  { learner: name, options }: Work<'features'>,
): Promise<void> {
  const { features, meter, engine, memory, tower, model, strict, truncated, testSelection } = place;
  const { classes, source, train, val, test } = data;
  const learner = featureLearnerNamed(name);
  const words = classes.map(({ word }) => word);
  const texts = zeroShotTexts(
    await model.tokenizer(),
    words,
    [String(options.zeroShotTemplate)],
    model.config.text.context,
  );
  const [trained, validated, tested] = await features.normalized(task.root, [train, val ?? [], test], classes);
  const splits = { train: trained!, validation: val ? validated : undefined };
  const job = await featureJobOn(tower, model, texts.flat(), splits, memory);
  meter.start();
  const fitted = await learner.fit(job, options);
  const parameters = learner.model.learned.reduce((sum, tensor) => sum + fitted.tensors[tensor]!.data.length, 0);
  await writeCost(folder, { ...meter.lap(), parameters });
  await keep(folder, testSelection ? await featuresOnTest(learner, job, options, tested!) : null);
  const sizes = { classes: classes.length, joint: job.width, images: trained!.labels.length };
  const logits = await featureLogits(engine, learner.model, fitted, tested!.features, sizes, memory);
  const out = join(folder, 'features');
  await removeOwn(out);
  const run = {
    out,
    memory,
    strict,
    truncated,
    learner,
    options,
    fitted,
    model,
    data: source,
    classes,
    backend: engine.backend,
  };
  await writeFitted({ ...run, ...splits }, async (directory) => {
    await writeResult(directory, {
      ...{ dataset: source, split: 'test', classes, images: tested!, epochs: fitted.epochs, seconds: seconds() },
      evaluation: evaluate(logits, tested!.labels, classes.length, tested!.votes),
      seen: seenImages(runImages('train', trained!, classes, task.root), tested!, 'test'),
      device: engine.backend.description,
    });
  });
}

async function probe(
  { place, task, folder, data, seconds }: Given,
  { features: kind, rates, options }: Work<'probe'>,
): Promise<void> {
  const { meter, testSelection, features } = place;
  let cost: Omit<StudyCost, 'parameters'> = { seconds: 0, flops: 0, peakBytes: 0 };
  const measured = async <T>(train: () => Promise<T>): Promise<T> => {
    meter.start();
    const result = await train();
    cost = meter.lap();
    return result;
  };
  const probing = { encoder: `clip-${kind}`, rates, options, measured } as const;
  await probeTask(
    place,
    task,
    {
      ...probing,
      before: async (cell, { probe: { weight, bias } }) => {
        await writeCost(folder, { ...cost, parameters: weight.length + bias.length });
        await keep(folder, testSelection ? await probeOnTest(cell) : null);
      },
    },
    data,
    features,
    seconds,
  );
}

async function keep(folder: string, found: OnTest | null): Promise<void> {
  if (found) await writeOnTest(folder, found);
}
