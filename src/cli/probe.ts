/** `ptdpc probe`: a linear layer on a frozen encoder, the baseline of the paper's Table 4. */
import { type Command, Option } from 'commander';
import { PAPER_LEARNING_RATES } from '../ptdpc/experiment/paper-tables.js';
import {
  FEATURE_KINDS,
  type FeatureKind,
  PROBE_DEFAULTS,
  PROBE_FIELDS,
  type PreprocessChoice,
  type ProbeOptions,
  probeOptions,
} from '../ptdpc/options.js';
import {
  addDatasetOptions,
  addSubsetOptions,
  classesOption,
  type DataOptions,
  openReportedDataset,
  type SubsetOptions,
  subsetOf,
} from './dataset.js';
import { imageJob } from './device.js';
import {
  addExamples,
  addFields,
  addJobOptions,
  givenFields,
  type JobOptions,
  preprocessOption,
  rateOption,
} from './options.js';
import { printJson, say, saySkipped } from './output.js';

interface Options extends JobOptions, DataOptions, SubsetOptions, Partial<Omit<ProbeOptions, 'learningRate'>> {
  model: string;
  out: string;
  features: FeatureKind;
  preprocess: PreprocessChoice;
  classes?: string;
  lr: number | 'auto';
}

export function configure(command: Command): void {
  command
    .description(
      'Train a linear layer on the features of a frozen encoder and evaluate it on the test images, as in Table 4 of the paper: ' +
        'CLIP-ViT is --features pooled, CLIP is --features joint; AlexNet, VGG16, ResNet101, DeiT and BEiT are checkpoints that ' +
        'ptdpc fetch knows. Makes a run, which eval, predict and report take. It takes seconds once features are cached, so an ' +
        'interrupted one starts again.',
    )
    .requiredOption('--model <path>', "model directory of a CLIP, or another encoder's checkpoint")
    .requiredOption('--out <dir>', 'folder of the run, to be created')
    .addOption(
      new Option('--features <kind>', 'before or after the projection into the joint space')
        .choices(FEATURE_KINDS)
        .default('pooled'),
    )
    .addOption(preprocessOption())
    .addOption(classesOption());
  const { learningRate: _, ...fields } = PROBE_FIELDS;
  addFields(command, fields, PROBE_DEFAULTS).addOption(
    rateOption('on the validation images, or on a tenth of the training images if there are none').default(
      PROBE_DEFAULTS.learningRate,
    ),
  );
  addSubsetOptions(addDatasetOptions(command));
  addJobOptions(command).action(run);
  addExamples(command, [
    [
      'ptdpc probe --model clip-vit-b32 --data fi --features pooled --lr auto --out runs/clip-vit',
      "Table 4's CLIP-ViT",
    ],
    ['ptdpc probe --model clip-vit-b32 --data fi --features joint --lr auto --out runs/clip', "Table 4's CLIP"],
    [
      'ptdpc probe --model clip-vit-b32 --data fi --features joint --shots 16 --seed 1 --out runs/probe-16',
      'on 16 images of each class, those that train --shots 16 --seed 1 takes',
    ],
    ['ptdpc probe --model encoders/deit --data fi --lr auto --out runs/deit', "Table 4's DeiT"],
    [
      'ptdpc probe --model encoders/alexnet --preprocess clip --data fi --lr auto --out runs/alexnet',
      "Table 4's AlexNet, with CLIP's preprocessing as in the paper",
    ],
  ]);
}

async function run(options: Options): Promise<void> {
  const { requireNothingAt } = await import('../node/atomic.js');
  const { requireWritable } = await import('../node/make-folder.js');
  const { probe } = await import('../node/probe.js');
  const { evaluationJson } = await import('../node/results.js');
  const { printEvaluation } = await import('./evaluation.js');
  const { lr, out } = options;
  const training = probeOptions(givenFields(PROBE_FIELDS, { ...options, lr: lr === 'auto' ? undefined : lr }));
  await requireNothingAt(out);
  await requireWritable(out);
  const dataset = await openReportedDataset(options, {
    classes: options.classes,
    ...subsetOf(options, training.seed),
  });
  const { classes } = dataset;
  const result = await probe({
    ...imageJob(options),
    model: options.model,
    features: options.features,
    preprocess: options.preprocess,
    dataset,
    out,
    options: training,
    rates: lr === 'auto' ? PAPER_LEARNING_RATES : undefined,
    onSkipped: saySkipped,
  });
  const { learningRate, choice, evaluation } = result;
  if (options.json) printJson({ out, learningRate, choice, ...evaluationJson(classes, evaluation) });
  else {
    for (const tried of choice)
      say(`learning rate ${tried.learningRate}: validation accuracy ${tried.valAccuracy.toFixed(4)}`);
    printEvaluation(`linear probe, learning rate ${learningRate}, test`, classes, evaluation);
  }
}
