/** `ptdpc predict`: the emotion of new images. */
import type { Command } from 'commander';
import { printable } from '../errors.js';
import type { FilePrediction } from '../node/use-run.js';
import { imageJob } from './device.js';
import { AS_IN_THE_RUN, addExamples, addJobOptions, type JobOptions, runOption } from './options.js';
import { JsonStream, printLines, saySkipped } from './output.js';
import { percent, table } from './tables.js';

interface PredictOptions extends JobOptions {
  run: string;
  model?: string;
}

export function configure(command: Command): void {
  command
    .description('Predict the class of images with what a run (of train, probe or zeroshot) has learned.')
    .argument('<images...>', 'image files, or folders of them')
    .addOption(runOption())
    .option('--model <dir>', "model directory (default: the run's)");
  addJobOptions(command, AS_IN_THE_RUN).action(predict);
  addExamples(command, [
    ['ptdpc predict --run runs/fi holiday.jpg', 'the most likely emotions of one picture'],
    ['ptdpc predict --run runs/fi photos/ --json > predictions.json', 'all probabilities of many'],
  ]);
}

/** Classes shown for people. */
const SHOWN = 3;

async function predict(images: string[], options: PredictOptions): Promise<void> {
  const { predictEach } = await import('../node/use-run.js');
  const { run, model, json } = options;
  const request = { ...imageJob(options, false), run, model, images };
  if (json) {
    const document = new JsonStream({ run }, 'predictions');
    const { skipped, truncated } = await predictEach(request, { predicted: (some) => document.add(some) });
    document.end({ skipped, truncated });
    saySkipped(skipped, truncated);
    return;
  }
  // Rows are printed as they come, so their columns are as wide as the widest of all can be.
  let widths: number[] = [];
  const { skipped, truncated } = await predictEach(request, {
    begin: (paths, words) => {
      const widest = (texts: readonly string[]) =>
        texts.reduce((most, text) => Math.max(most, printable(text).length), 0);
      const word = widest(words) + ' 100.0 %'.length;
      widths = [widest(paths), ...Array.from({ length: Math.min(SHOWN, words.length) }, () => word)];
    },
    predicted: (some) => printLines(table(some.map(rowOf), 1, widths)),
  });
  saySkipped(skipped, truncated);
}

function rowOf({ path, probabilities }: FilePrediction): string[] {
  const best = Object.entries(probabilities).sort((a, b) => b[1] - a[1]);
  return [path, ...best.slice(0, SHOWN).map(([word, p]) => `${word} ${percent(p)}`)];
}
