/** `ptdpc report`: the page of a run or of experiments. */

import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { InputError } from '../errors.js';
import { addExamples, jsonOption } from './options.js';
import { print, printJson } from './output.js';

interface ReportOptions {
  run?: string;
  experiment?: string;
  out?: string;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      `Write report.html: learning curves, confusion matrices, calibration, pictures with their predictions, and the setup of a run; or
the tables of experiments beside the paper's. One file that loads nothing and runs no script.`,
    )
    .option('--run <run>', 'folder of a run')
    .option('--experiment <dir>', 'folder with results.json, or with folders of experiments')
    .option('--out <file>', 'where to write it (default: report.html in that folder)')
    .addOption(jsonOption())
    .action(report);
  addExamples(command, [
    ['ptdpc report --run runs/fi', 'write runs/fi/report.html'],
    ['ptdpc report --experiment results/table2 --out table2.html', 'the page of an experiment, elsewhere'],
  ]);
}

async function report({ run, experiment, out, json }: ReportOptions): Promise<void> {
  if ((run === undefined) === (experiment === undefined))
    throw new InputError('report: expected either --run <run> or --experiment <dir>');
  // Late: it brings the charts.
  const { writeExperimentReport, writeRunReport } = await import('../node/report/index.js');
  const path = run === undefined ? await writeExperimentReport(experiment!, out) : await writeRunReport(run, out);
  if (json) printJson({ report: path, bytes: (await stat(path)).size });
  else print(path);
}
