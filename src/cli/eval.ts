/** `ptdpc eval`: evaluates a run on labelled images. */
import { type Command, Option } from 'commander';
import type { Split } from '../ptdpc/index.js';
import {
  addDatasetOptions,
  classesOption,
  type DataOptions,
  halfOption,
  type SubsetOptions,
  splitOption,
} from './dataset.js';
import { imageJob } from './device.js';
import { AS_IN_THE_RUN, addExamples, addJobOptions, type JobOptions, runOption } from './options.js';
import { print, printJson, saySkipped } from './output.js';
import { percent } from './tables.js';

interface EvalOptions extends JobOptions, Partial<DataOptions>, Pick<SubsetOptions, 'half'> {
  run: string;
  split: Split;
  model?: string;
  zeroShot: boolean;
  classes?: string;
  ownClasses?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      'Evaluate a run (of train, probe or zeroshot). Metrics and predictions are written into its folder as ' +
        'results/<data set>-<split>.json and .csv; results of other data sets and splits are kept. Prompts that all classes share ' +
        '(train --learner coop or cocoop, or --mode is or none) are put before the words of other classes with --half, --own-classes or --classes. Prompts are compared with CLIP without ' +
        'training on the same images, whose results go into its folder zero-shot.',
    )
    .addOption(runOption())
    .addOption(splitOption())
    .option('--model <dir>', "model directory (default: the run's)")
    .option('--no-zero-shot', 'leave out CLIP without training, which a report compares prompts with');
  addDatasetOptions(command, "data set (default: the run's)")
    .addOption(halfOption('evaluate on'))
    .addOption(new Option('--own-classes', "the data set's own classes instead of the run's").conflicts('classes'))
    .addOption(classesOption());
  addJobOptions(command, AS_IN_THE_RUN).action(evaluate);
  addExamples(command, [
    ['ptdpc eval --run runs/fi', 'accuracy and confusion on the test images of the data set of the run'],
    ['ptdpc eval --run runs/fi --split val --json', 'on the validation images, for a program'],
    ['ptdpc eval --run runs/fi --data emoset --dataset emoset8', 'on another data set with classes of the same names'],
    ['ptdpc eval --run runs/fi-base --half new', 'a run of train --half base on the classes that it has not seen'],
    ['ptdpc eval --run runs/fi-none --data pets --own-classes', "its prompts before another data set's classes"],
  ]);
}

async function evaluate(options: EvalOptions): Promise<void> {
  const { evaluateRun } = await import('../node/evaluate-run.js');
  const { comparisonJson, evaluationJson } = await import('../node/results.js');
  const { printComparison, printEvaluation, sayWritten } = await import('./evaluation.js');
  const { run, model, data, dataset, fold, splitSeed, split, half, classes, ownClasses } = options;
  const result = await evaluateRun({
    ...imageJob(options),
    ...{ run, model, data, split, zeroShot: options.zeroShot },
    dataset: { setting: dataset, fold, seed: splitSeed, half },
    classes: classes ?? (ownClasses ? { own: true } : undefined),
  });
  const { evaluation, seen, written, zeroShot, harmonicMean } = result;
  if (options.json)
    printJson({
      ...{ run, split, seen },
      ...evaluationJson(result.classes, evaluation),
      ...{ result: written?.path ?? null, skipped: result.skipped, truncated: result.truncated, harmonicMean },
      zeroShot: zeroShot && {
        ...{ accuracy: zeroShot.evaluation.accuracy, result: zeroShot.written.path },
        ...comparisonJson(zeroShot.comparison),
      },
    });
  else {
    printEvaluation(seen?.train ? `${split} (${seen.train} images trained on)` : split, result.classes, evaluation);
    if (harmonicMean !== null) print(`harmonic mean of base and new accuracy: ${percent(harmonicMean)}`);
    if (zeroShot) printComparison(zeroShot);
  }
  if (zeroShot) sayWritten(zeroShot.written);
  if (written) sayWritten(written);
  saySkipped(result.skipped, result.truncated);
}
