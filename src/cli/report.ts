/** `ptdpc report`: the page of a run or of experiments. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { InputError } from '../errors.js';
import type { DeviceChoice } from '../kernels/device-choice.js';
import { requireFolder } from '../node/make-folder.js';
import { openReportedDevice } from './device.js';
import { addExamples, deviceOption, jsonOption, memoryOption } from './options.js';
import { commandLine, print, printJson, say } from './output.js';

interface ReportOptions {
  run?: string[];
  experiment?: string;
  out?: string;
  data?: string;
  prompts: boolean;
  model?: string;
  device: DeviceChoice;
  memory: number;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      'Write report.html: whether tuning was worth it beside zero-shot on the same images, confusion matrices, calibration, learning curves, ' +
        'images with predictions, nearest words of the learned tokens, weights and setup of a run; several runs compared, with paired tests; or ' +
        "an experiment's tables beside the paper's, or a study's leaderboard. One file that loads nothing " +
        'and runs no script.',
    )
    .option('--run <runs...>', 'folder of a run; several are compared')
    .option(
      '--experiment <dir>',
      'folder with results.json of an experiment or a study, or with folders of experiments',
    )
    .option('--out <file>', 'file to write (default: report.html in that folder)')
    .option('--data <dir>', 'folder of the images (default: the one in the results, if a command of yours has read it)')
    .option('--no-prompts', "leave out nearest words and weights, which need the run's model")
    .option('--model <dir>', "model directory (default: the run's)")
    .addOption(deviceOption())
    .addOption(memoryOption())
    .addOption(jsonOption())
    .action(report);
  addExamples(command, [
    ['ptdpc report --run runs/fi', 'write runs/fi/report.html'],
    ['ptdpc report --run runs/fi --no-prompts', 'without what needs the model'],
    ['ptdpc report --run runs/fi runs/fi-zeroshot --out fi.html', 'two runs side by side'],
    ['ptdpc report --experiment paper/table2 --out table2.html', 'an experiment, written elsewhere'],
  ]);
}

async function report(options: ReportOptions): Promise<void> {
  const { writeExperimentReport } = await import('../node/write-report.js');
  const { run, experiment, out, data, json } = options;
  const command = commandLine();
  if ((run === undefined) === (experiment === undefined))
    throw new InputError('report: expected either --run <run> or --experiment <dir>');
  if (out !== undefined) await requireFolder(dirname(out), '--out ');
  const path =
    run === undefined
      ? await writeExperimentReport(experiment!, out, { data, say, command })
      : await runReport(run, options);
  if (json) printJson({ report: path, bytes: (await stat(path)).size });
  else print(path);
}

async function runReport(runs: readonly string[], options: ReportOptions): Promise<string> {
  const { writeComparison, writeRunReport } = await import('../node/write-report.js');
  const { out, data, prompts, model, memory, device } = options;
  const command = commandLine();
  const [run, ...others] = runs;
  if (others.length > 0) {
    if (out === undefined)
      throw new InputError('--out <file>: missing; several runs are compared in a file of their own');
    return writeComparison(runs, out, { data, say, command });
  }
  const openDevice = () => openReportedDevice(device);
  return writeRunReport(run!, { out, data, say, command, model, memory, ...(prompts && { openDevice }) });
}
