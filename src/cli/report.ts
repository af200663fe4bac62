/** `ptdpc report`: the page of a run or of experiments. */

import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { InputError } from '../errors.js';
import type { DeviceChoice } from '../node/device-choice.js';
import { writeExperimentReport, writeRunReport } from '../node/write-report.js';
import { openReportedDevice } from './device.js';
import { addExamples, deviceOption, jsonOption, memoryOption } from './options.js';
import { print, printJson } from './output.js';

interface ReportOptions {
  run?: string;
  experiment?: string;
  out?: string;
  prompts: boolean;
  model?: string;
  device: DeviceChoice;
  memory: number;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      `Write report.html: learning curves, confusion matrices, calibration, pictures with their predictions, the learned tokens' nearest words, the weights
of some pictures, and the setup of a run; or the tables of experiments beside the paper's. One file that loads nothing and runs no script.`,
    )
    .option('--run <run>', 'folder of a run')
    .option('--experiment <dir>', 'folder with results.json, or with folders of experiments')
    .option('--out <file>', 'where to write it (default: report.html in that folder)')
    .option('--no-prompts', "leave out words and weights, which need the run's model")
    .option('--model <dir>', 'model directory, where it is no longer where the run found it')
    .addOption(deviceOption())
    .addOption(memoryOption())
    .addOption(jsonOption())
    .action(report);
  addExamples(command, [
    ['ptdpc report --run runs/fi', 'write runs/fi/report.html'],
    ['ptdpc report --run runs/fi --no-prompts', 'without what needs the model'],
    ['ptdpc report --experiment results/table2 --out table2.html', 'the page of an experiment, elsewhere'],
  ]);
}

async function report(options: ReportOptions): Promise<void> {
  const { run, experiment, out, json } = options;
  if ((run === undefined) === (experiment === undefined))
    throw new InputError('report: expected either --run <run> or --experiment <dir>');
  const path = run === undefined ? await writeExperimentReport(experiment!, out) : await runReport(run, options);
  if (json) printJson({ report: path, bytes: (await stat(path)).size });
  else print(path);
}

function runReport(run: string, { out, prompts, model, memory, device }: ReportOptions): Promise<string> {
  const openDevice = () => openReportedDevice(device);
  return writeRunReport(run, { out, model, memory, ...(prompts && { openDevice }) });
}
