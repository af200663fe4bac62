/** `ptdpc zeroshot`: CLIP as it comes, with a hand-written prompt. */
import type { Command } from 'commander';
import type { DeviceChoice } from '../node/device-choice.js';
import { encodeSplit } from '../node/encode-splits.js';
import { openModelDirectory } from '../node/model-directory.js';
import { evaluationJson } from '../node/results.js';
import { ClipModel, evaluate, imagesOf, PRESETS, type Split } from '../ptdpc/index.js';
import { addDatasetOptions, classesOption, type DataOptions, openReportedDataset, splitOption } from './dataset.js';
import { openReportedDevice } from './device.js';
import { type EncodingOptions, encodingOf } from './encoding.js';
import { printEvaluation } from './evaluation.js';
import { featuresKept } from './interruption.js';
import {
  addCacheOptions,
  addExamples,
  deviceOption,
  jsonOption,
  memoryOption,
  modelOption,
  strictOption,
  truncatedOption,
} from './options.js';
import { printJson, saySkipped } from './output.js';

export interface ZeroShotOptions extends EncodingOptions, DataOptions {
  model: string;
  split: Split;
  template: string[];
  classes?: string;
  device: DeviceChoice;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description('Classify images by CLIP without tuning, comparing them with "<template> <class word>".')
    .addOption(modelOption())
    .addOption(splitOption())
    .option(
      '--template <words>',
      'text of a class; {} stands for the class word, which otherwise comes last; several: their features are averaged',
      collect,
      [],
    )
    .addOption(classesOption())
    .addOption(deviceOption())
    .addOption(memoryOption())
    .addOption(strictOption())
    .addOption(truncatedOption())
    .addOption(jsonOption());
  addDatasetOptions(command);
  addCacheOptions(command).action(async (options: ZeroShotOptions) => {
    const { classes, evaluation, skipped, truncated } = await zeroShot(options);
    const { split } = options;
    const templates = templatesOf(options);
    if (options.json) printJson({ split, templates, ...evaluationJson(classes, evaluation), skipped, truncated });
    else printEvaluation(`zero-shot, ${split}`, classes, evaluation);
    saySkipped(skipped, truncated);
  });
  addExamples(command, [
    ['ptdpc zeroshot --model clip-vit-b32 --data fi', 'the template of the paper'],
    ['ptdpc zeroshot --model clip-vit-b32 --data fi --template "a {} scene."', 'another one'],
    [
      'ptdpc zeroshot --model clip-vit-b32 --data fi --template "a photo of" --template "a {} scene."',
      'two, their text features averaged',
    ],
  ]);
}

/** Zero-shot predictions of one split and what they are worth. */
export async function zeroShot(options: ZeroShotOptions) {
  using _kept = featuresKept(options);
  await using model = await openModelDirectory(options.model);
  const dataset = await openReportedDataset(options, options.classes);
  const { classes } = dataset;
  const images = imagesOf(dataset, options.split);
  // A missing vocabulary is known before images are encoded.
  await model.tokenizer();
  using device = await openReportedDevice(options.device);
  using clip = new ClipModel(device, model, options);
  const encoded = await encodeSplit(encodingOf(clip.engine, model, options), images, classes);
  const words = classes.map(({ word }) => word);
  const { logits } = await clip.zeroShot(encoded.features, words, templatesOf(options));
  const { labels, skipped, truncated } = encoded;
  return { classes, evaluation: evaluate(logits, labels, classes.length), skipped, truncated };
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

/** The given templates, or the paper's. */
const templatesOf = ({ template }: ZeroShotOptions): readonly string[] =>
  template.length === 0 ? [PRESETS.paper.template] : template;
