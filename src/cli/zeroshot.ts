/** `ptdpc zeroshot`: classifies by CLIP without training. */
import type { Command } from 'commander';
import type { DeviceChoice } from '../kernels/device-choice.js';
import type { Split } from '../ptdpc/index.js';
import { PRESETS } from '../ptdpc/options.js';
import { addDatasetOptions, classesOption, type DataOptions, splitOption } from './dataset.js';
import { openReportedDevice } from './device.js';
import {
  addCacheOptions,
  addExamples,
  cacheDirectory,
  deviceOption,
  type EncodingOptions,
  jsonOption,
  keepsFeatures,
  memoryOption,
  modelOption,
  strictOption,
  truncatedOption,
} from './options.js';
import { printJson, saySkipped } from './output.js';
import { TERMINAL } from './progress.js';

interface ZeroShotOptions extends EncodingOptions, DataOptions {
  model: string;
  out?: string;
  split: Split;
  template?: string[];
  classes?: string;
  device: DeviceChoice;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description('Classify images by CLIP without training, comparing them with "<template> <class word>".')
    .addOption(modelOption())
    .option('--out <run>', 'write the result as a run, for eval and report')
    .addOption(splitOption())
    .option(
      '--template <words>',
      'text of a class, with {} for the class word (default: at the end); repeat it to average the features of several texts',
      collect,
    )
    .addOption(classesOption())
    .addOption(deviceOption())
    .addOption(memoryOption())
    .addOption(strictOption())
    .addOption(truncatedOption())
    .addOption(jsonOption());
  addDatasetOptions(command);
  addCacheOptions(command).action(zeroShot);
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
  const { model, data, dataset, fold, splitSeed, classes, split, out, device, memory, strict, truncated } = options;
  // The paper's unless others are given.
  const templates = options.template ?? [PRESETS.paper.template];
  const result = await evaluateZeroShot({
    ...{ model, data, out, split, templates, memory, strict, truncated },
    dataset: { setting: dataset, fold, seed: splitSeed, classes },
    openDevice: () => openReportedDevice(device, keepsFeatures(options)),
    cacheDirectory: cacheDirectory(options),
    events: TERMINAL,
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
