/** `ptdpc predict`: the emotion of new images. */
import type { Command } from 'commander';
import { openClassifier } from '../node/classifier.js';
import type { DeviceChoice } from '../node/device-choice.js';
import { encodeFiles } from '../node/encode-splits.js';
import { listImages } from '../node/image-files.js';
import { normalizedFeatures, predictionsOf } from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { openReportedDevice } from './device.js';
import { type EncodingOptions, encodingOf } from './encoding.js';
import {
  addCacheOptions,
  addExamples,
  deviceOption,
  jsonOption,
  memoryOption,
  runOption,
  runTruncatedOption,
  strictOption,
} from './options.js';
import { printJson, printLines, saySkipped } from './output.js';
import { percent, table } from './tables.js';

interface PredictOptions extends EncodingOptions {
  run: string;
  model?: string;
  device: DeviceChoice;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description('Predict the class of images with what a run (of train, probe or zeroshot) has learned.')
    .argument('<images...>', 'image files, or folders of them')
    .addOption(runOption())
    .option('--model <dir>', "model directory (default: the run's)")
    .addOption(deviceOption())
    .addOption(memoryOption())
    .addOption(strictOption())
    .addOption(runTruncatedOption())
    .addOption(jsonOption());
  addCacheOptions(command).action(predict);
  addExamples(command, [
    ['ptdpc predict --run runs/fi holiday.jpg', 'the most likely emotions of one picture'],
    ['ptdpc predict --run runs/fi photos/ --json > predictions.json', 'all probabilities of many'],
  ]);
}

/** Classes shown for people. */
const SHOWN = 3;

async function predict(inputs: string[], options: PredictOptions): Promise<void> {
  await using classifier = await openClassifier(options.run, options.model);
  const { encoder, record } = classifier;
  const images = await listImages(inputs);
  using device = await openReportedDevice(options.device);
  const engine = new Engine(device.backend);
  const encoded = await encodeFiles(encodingOf(engine, encoder, options, record?.truncated), images);
  const features =
    encoder.features === 'joint' ? normalizedFeatures(encoded.features, encoder.width) : encoded.features;
  const words = classifier.classes.map(({ word }) => word);
  const logits = await classifier.logits(device, features, options.memory);
  const { classes, probabilities, predicted } = predictionsOf(words, logits);
  const predictions = encoded.paths.map((path, i) => ({
    path,
    predicted: classes[predicted[i]!]!,
    probabilities: Object.fromEntries(classes.map((word, c) => [word, probabilities[i * classes.length + c]!])),
  }));
  const { skipped, truncated } = encoded;
  if (options.json) printJson({ run: options.run, predictions, skipped, truncated });
  else {
    const rows = predictions.map(({ path, probabilities }) => {
      const best = Object.entries(probabilities).sort((a, b) => b[1] - a[1]);
      return [path, ...best.slice(0, SHOWN).map(([word, p]) => `${word} ${percent(p)}`)];
    });
    printLines(table(rows));
  }
  saySkipped(skipped, truncated);
}
