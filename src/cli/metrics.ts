/** `ptdpc metrics`: the metrics of runs as CSV. */
import { type Command, Option } from 'commander';
import { addExamples } from './options.js';
import { printLines } from './output.js';

const KINDS = ['results', 'epochs', 'steps'] as const;

interface Options {
  of: (typeof KINDS)[number];
}

export function configure(command: Command): void {
  command
    .description(
      'Print the metrics of runs as CSV (RFC 4180) on standard output: a line for each result, with its data set, split and measures; or, of trainings, ' +
        'a line for each epoch or step. Predictions of single images are in the results of a run, as CSV too.',
    )
    .argument('<runs...>', 'folders of runs')
    .addOption(new Option('--of <what>', 'what a line is of').choices(KINDS).default('results'))
    .action(metrics);
  addExamples(command, [
    ['ptdpc metrics runs/* > metrics.csv', 'all results of all runs, for a spreadsheet'],
    ['ptdpc metrics runs/fi --of epochs', 'loss and accuracy after each epoch'],
  ]);
}

async function metrics(runs: string[], { of }: Options): Promise<void> {
  const { resultsCsv, trainingCsv } = await import('../node/compare-runs.js');
  const csv = of === 'results' ? await resultsCsv(runs) : await trainingCsv(runs, of);
  printLines(csv.trimEnd());
}
