/** `ptdpc predict`: the emotion of new images. */
import type { Command } from 'commander';
import { printable } from '../errors.js';
import type { DeviceChoice } from '../node/device-choice.js';
import { encodeFiles } from '../node/encode-splits.js';
import { listImages } from '../node/image-files.js';
import { loadTuned, openRun } from '../node/tuned-model.js';
import { argmax, normalizedFeatures, predictLogits, softmaxRows } from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { openReportedDevice } from './device.js';
import { type EncodingOptions, encodingOf } from './encoding.js';
import { featuresKept } from './interruption.js';
import { addCacheOptions, addExamples, deviceOption, jsonOption, memoryOption, strictOption } from './options.js';
import { print, printJson, saySkipped } from './output.js';
import { percent, table } from './tables.js';

interface PredictOptions extends EncodingOptions {
  run: string;
  model?: string;
  device: DeviceChoice;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description('Predict the class of images with the prompts of a run.')
    .argument('<images...>', 'image files, or folders of them')
    .requiredOption('--run <run>', 'folder of the run')
    .option('--model <dir>', 'model directory, where it is no longer where the run found it')
    .addOption(deviceOption())
    .addOption(memoryOption())
    .addOption(strictOption())
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
  using _kept = featuresKept(options);
  await using run = await openRun(options.run, options.model);
  const images = await listImages(inputs);
  using device = await openReportedDevice(options.device);
  const engine = new Engine(device.backend);
  const encoded = await encodeFiles(encodingOf(engine, run.model, options), images);
  using tuned = await loadTuned(run, engine);
  const features = normalizedFeatures(encoded.features, run.model.config.projectionDim);
  const words = run.prompts.classes.map(({ word }) => word);
  const probabilities = softmaxRows(await predictLogits(tuned.prompts, features, options.memory), words.length);
  const predictions = encoded.paths.map((path, i) => {
    const row = probabilities.subarray(i * words.length, (i + 1) * words.length);
    return {
      path,
      predicted: words[argmax(row)]!,
      probabilities: Object.fromEntries(words.map((word, c) => [word, row[c]!])),
    };
  });
  if (options.json) printJson({ run: options.run, predictions, skipped: encoded.skipped });
  else {
    const rows = predictions.map(({ path, probabilities }) => {
      const best = Object.entries(probabilities).sort((a, b) => b[1] - a[1]);
      return [printable(path), ...best.slice(0, SHOWN).map(([word, p]) => `${word} ${percent(p)}`)];
    });
    print(table(rows));
  }
  saySkipped(encoded.skipped);
}
