/** `ptdpc import`: prompts that other programs have learned. */
import { type Command, Option } from 'commander';
import { CONTEXT_LEARNERS, type ContextLearner } from '../learners/prompts/index.js';
import { addDatasetOptions, classesOption, type DataOptions, halfOption, type SubsetOptions } from './dataset.js';
import { addCacheOptions, addExamples, type CacheOptions, cacheDirectory, jsonOption, modelOption } from './options.js';
import { printJson, say } from './output.js';
import { TERMINAL } from './progress.js';

interface Options extends CacheOptions, DataOptions, Pick<SubsetOptions, 'half'> {
  model: string;
  out: string;
  classes?: string;
  learner?: ContextLearner;
  classPosition?: 'end' | 'middle' | 'front';
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      "Make a run of prompts that the published code of CoOp has learned, or of CoCoOp, KgCoOp or ProGrad, which are built on it: a file such as prompt_learner/model.pth.tar-50. eval, predict, explain and report take the run. Nothing in the file is executed. It is checked against the model's embeddings, which the file has too, and against the words of the classes.",
    )
    .argument('<checkpoint>', 'PyTorch file of the learned tokens')
    .addOption(modelOption())
    .requiredOption('--out <run>', 'folder of the run, to be created')
    .addOption(
      new Option(
        '--learner <name>',
        'which learner the tokens are of (default: cocoop with a network, else coop)',
      ).choices(Object.keys(CONTEXT_LEARNERS)),
    )
    .addOption(
      new Option(
        '--class-position <place>',
        'where the class word stands, which the file does not say (default: end)',
      ).choices(['end', 'middle', 'front']),
    )
    .addOption(classesOption())
    .addOption(halfOption('classes are'));
  addDatasetOptions(command);
  addCacheOptions(command).addOption(jsonOption()).action(run);
  addExamples(command, [
    [
      'ptdpc import output/pets/CoOp/seed1/prompt_learner/model.pth.tar-50 --model clip-vit-b16 --data pets --out runs/coop-pets',
      "CoOp's own prompts",
    ],
    [
      'ptdpc import model.pth.tar-10 --model clip-vit-b16 --data pets --half base --out runs/cocoop-base',
      "CoCoOp's, learned on the base half of the classes",
    ],
  ]);
}

async function run(checkpoint: string, options: Options): Promise<void> {
  const { importPrompts } = await import('../node/import-prompts.js');
  const { model, out, data, dataset, fold, splitSeed, half, classes, learner, classPosition } = options;
  const record = await importPrompts({
    ...{ checkpoint, model, out, data, learner, classPosition, events: TERMINAL },
    dataset: { setting: dataset, fold, seed: splitSeed, half, classes },
    cacheDirectory: cacheDirectory(options),
  });
  if (options.json) printJson({ out, options: record.options, classes: record.classes });
  else say(`${out}: prompts of ${record.classes.length} classes; npx ptdpc eval --run ${out} evaluates them`);
}
