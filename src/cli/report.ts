/** `ptdpc report`: the page of a run. */

import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { addExamples, jsonOption } from './options.js';
import { print, printJson } from './output.js';

interface ReportOptions {
  run: string;
  out?: string;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      `Write report.html: learning curves, confusion matrices, calibration, pictures with their predictions, and the setup of a run.
One file that loads nothing and runs no script.`,
    )
    .requiredOption('--run <run>', 'folder of the run')
    .option('--out <file>', 'where to write it (default: report.html in the folder of the run)')
    .addOption(jsonOption())
    .action(report);
  addExamples(command, [
    ['ptdpc report --run runs/fi', 'write runs/fi/report.html'],
    ['ptdpc report --run runs/fi --out fi.html', 'write it elsewhere'],
  ]);
}

async function report({ run, out, json }: ReportOptions): Promise<void> {
  // Late: it brings the charts.
  const { writeRunReport } = await import('../node/report/index.js');
  const path = await writeRunReport(run, out);
  if (json) printJson({ report: path, bytes: (await stat(path)).size });
  else print(path);
}
