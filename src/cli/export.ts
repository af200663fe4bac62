/** `ptdpc export`: a run's prompts for other programs. */
import type { Command } from 'commander';
import { addCacheOptions, addExamples, type CacheOptions, cacheDirectory, jsonOption, runOption } from './options.js';
import { printJson, say } from './output.js';

interface Options extends CacheOptions {
  run: string;
  model?: string;
  out: string;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      "Write a run's prompts into a .npz file for NumPy and PyTorch: the learned tokens, and for each class the token ids of its text and where in it the learned ones stand. What it has, and the lines that classify with it: docs/checkpoints.md#prompts-in-python.",
    )
    .addOption(runOption())
    .option('--model <dir>', "model directory (default: the run's)")
    .requiredOption('--out <file>', '.npz file to write');
  addCacheOptions(command).addOption(jsonOption()).action(write);
  addExamples(command, [['ptdpc export --run runs/fi --out fi-prompts.npz', 'for numpy.load']]);
}

async function write(options: Options): Promise<void> {
  const { exportPrompts } = await import('../node/export-prompts.js');
  const { run, model, out } = options;
  const { arrays } = await exportPrompts(run, out, { model, cacheDirectory: cacheDirectory(options) });
  if (options.json) printJson({ out, arrays });
  else say(`${out}: ${Object.keys(arrays).join(', ')}`);
}
