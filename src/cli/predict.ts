/** `ptdpc predict`: the emotion of new images. */
import type { Command } from 'commander';
import type { DeviceChoice } from '../kernels/device-choice.js';
import type { UseRequest } from '../node/use-run.js';
import { openReportedDevice } from './device.js';
import {
  addCacheOptions,
  addExamples,
  cacheDirectory,
  deviceOption,
  type EncodingOptions,
  jsonOption,
  memoryOption,
  runOption,
  runTruncatedOption,
  strictOption,
} from './options.js';
import { printJson, printLines, saySkipped } from './output.js';
import { TERMINAL } from './progress.js';
import { percent, table } from './tables.js';

/** The options that `predict` and `explain` share. */
export interface UseOptions extends EncodingOptions {
  run: string;
  model?: string;
  device: DeviceChoice;
}

interface PredictOptions extends UseOptions {
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

async function predict(images: string[], options: PredictOptions): Promise<void> {
  const { predictFiles } = await import('../node/use-run.js');
  const { run, json } = options;
  const { predictions, skipped, truncated } = await predictFiles(useOf(images, options));
  if (json) printJson({ run, predictions, skipped, truncated });
  else {
    const rows = predictions.map(({ path, probabilities }) => {
      const best = Object.entries(probabilities).sort((a, b) => b[1] - a[1]);
      return [path, ...best.slice(0, SHOWN).map(([word, p]) => `${word} ${percent(p)}`)];
    });
    printLines(table(rows));
  }
  saySkipped(skipped, truncated);
}

/** What `predict` and `explain` ask for. */
export function useOf(images: readonly string[], options: UseOptions): UseRequest {
  const { run, model, device, memory, strict, truncated } = options;
  return {
    ...{ run, model, images, memory, strict, truncated },
    openDevice: () => openReportedDevice(device),
    cacheDirectory: cacheDirectory(options),
    events: TERMINAL,
  };
}
