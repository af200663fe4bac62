/** `ptdpc predict`: the emotion of new images. */
import type { Command } from 'commander';
import { imageJob } from './device.js';
import { AS_IN_THE_RUN, addExamples, addJobOptions, type JobOptions, runOption } from './options.js';
import { printJson, printLines, saySkipped } from './output.js';
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
  const { predictFiles } = await import('../node/use-run.js');
  const { run, model, json } = options;
  const { predictions, skipped, truncated } = await predictFiles({ ...imageJob(options, false), run, model, images });
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
