/** `ptdpc zeroshot`: classifies by CLIP without training. */
import type { Command } from 'commander';
import type { Split } from '../ptdpc/index.js';
import { PRESETS } from '../ptdpc/options.js';
import { addDatasetOptions, classesOption, type DataOptions, splitOption } from './dataset.js';
import { imageJob } from './device.js';
import { addExamples, addJobOptions, type JobOptions, modelOption } from './options.js';
import { printJson, saySkipped } from './output.js';

interface ZeroShotOptions extends JobOptions, DataOptions {
  model: string;
  out?: string;
  split: Split;
  template?: string[];
  classes?: string;
}

export function configure(command: Command): void {
  command
    .description('Classify images by CLIP without training, comparing them with "<template> <class word>".')
    .addOption(modelOption())
    .option('--out <run>', 'write the result as a run, for eval and report')
    .addOption(splitOption())
    .option(
      '--template <words>',
      `text of a class: {} marks the class word, otherwise it is appended; repeat it to average the features of several texts (default: ${PRESETS.paper.template})`,
      collect,
    )
    .addOption(classesOption());
  addDatasetOptions(command);
  addJobOptions(command).action(zeroShot);
  addExamples(command, [
    ['ptdpc zeroshot --model clip-vit-b32 --data fi', 'the template of the paper'],
    ['ptdpc zeroshot --model clip-vit-b32 --data fi --out runs/fi-zeroshot', 'and keep the result as a run'],
    ['ptdpc zeroshot --model clip-vit-b32 --data fi --template "a {} scene."', 'another one'],
    [
      'ptdpc zeroshot --model clip-vit-b32 --data fi --template "a photo of" --template "a {} scene."',
      'two, their text features averaged',
    ],
  ]);
}

async function zeroShot(options: ZeroShotOptions): Promise<void> {
  const { evaluateZeroShot } = await import('../node/evaluate-run.js');
  const { evaluationJson } = await import('../node/results.js');
  const { printEvaluation, sayWritten } = await import('./evaluation.js');
  const { model, data, dataset, fold, splitSeed, classes, split, out } = options;
  // The paper's unless others are given.
  const templates = options.template ?? [PRESETS.paper.template];
  const result = await evaluateZeroShot({
    ...imageJob(options),
    ...{ model, data, out, split, templates },
    dataset: { setting: dataset, fold, seed: splitSeed, classes },
  });
  const { written } = result;
  if (options.json)
    printJson({
      ...{ split, templates },
      ...evaluationJson(result.classes, result.evaluation),
      ...{ result: written?.path ?? null, skipped: result.skipped, truncated: result.truncated },
    });
  else printEvaluation(`zero-shot, ${split}`, result.classes, result.evaluation);
  if (written) sayWritten(written);
  saySkipped(result.skipped, result.truncated);
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];
