/** `ptdpc experiment`: the paper's tables and figures, on one machine or many. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { PlanFolder } from '../node/experiment/index.js';
import {
  EXPERIMENTS,
  type ExperimentName,
  MOST_SEEDS,
  type ShareOptions,
  taskShare,
} from '../ptdpc/experiment/index.js';
import {
  collect,
  type EstimateOptions,
  type PlanOptions,
  plan,
  sayEstimate,
  type WorkOptions,
  work,
} from './experiment-steps.js';
import {
  addExamples,
  deviceOption,
  jsonOption,
  memoryOption,
  parseInteger,
  parsePositive,
  parseShare,
  strictOption,
  truncatedOption,
} from './options.js';

interface CollectOptions {
  plan: string;
  out?: string;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      "The paper's tables and figures, each cell over several seeds beside the paper's figure. One command plans, computes and " +
        'collects; plan, run and collect are its three parts, for many machines that share a folder.',
    )
    .usage('<table1|table2|table3|table4|figure4|figure5|all|plan|run|collect> [options]');
  for (const name of [...EXPERIMENTS, 'all'] as const) configureExperiment(command.command(name), name);
  configurePlan(command.command('plan'));
  configureRun(command.command('run'));
  configureCollect(command.command('collect'));
  addExamples(command, [
    ['ptdpc experiment table2 --data-root data --model clip-vit-b32 --out paper', 'Table 2, five seeds'],
    ['ptdpc experiment all --demo --out demo --seeds 2', 'everything, on drawn scenes and the demonstration model'],
    ['ptdpc experiment run --plan paper --task 3/8', 'the third of eight shares of a plan'],
  ]);
}

function configureExperiment(command: Command, name: ExperimentName | 'all'): void {
  const description = name === 'all' ? 'All of the tables and figures.' : `${TITLES[name]}.`;
  addPlanOptions(command.summary(description).description(`${description} Goes on where it was interrupted.`))
    .option('--plan-only', 'make the plan, and compute nothing')
    .addOption(jsonOption());
  addWorkOptions(command).action(
    async (options: PlanOptions & WorkOptions & { planOnly?: boolean; json?: boolean }) => {
      const experiments = name === 'all' ? EXPERIMENTS : [name];
      const folder = new PlanFolder(options.out);
      await plan(folder, experiments, options);
      if (options.planOnly) return;
      await work(folder, options);
      await collect(folder, experiments, options);
    },
  );
  addExamples(command, [
    [
      `ptdpc experiment ${name} --data-root data --model clip-vit-b32 --out paper`,
      'every data set below data/, five seeds',
    ],
    [`ptdpc experiment ${name} --demo --out demo`, 'on drawn scenes and the demonstration model, offline'],
  ]);
}

function configurePlan(command: Command): void {
  command
    .summary('write a plan for `run`')
    .description(
      'Write a plan: what some experiments need, as independent tasks, and say how long they take on this device. Added to the plan that is there.',
    )
    .argument('<experiments...>', `${EXPERIMENTS.join(', ')} or all`, parseExperiment);
  addPlanOptions(command)
    .addOption(deviceOption())
    .addOption(memoryOption())
    .option('--no-estimate', 'do not measure how long the plan takes on this device')
    .addOption(jsonOption())
    .action(async (names: readonly ExperimentName[], options: PlanOptions & EstimateOptions) => {
      await sayEstimate(await plan(new PlanFolder(options.out), names, options), options);
    });
  addExamples(command, [
    ['ptdpc experiment plan all --data-root data --model clip-vit-b32 --out paper', 'a plan of everything'],
  ]);
}

function configureRun(command: Command): void {
  command
    .summary("compute a plan's tasks, or a share of them")
    .description(
      'Compute the tasks of a plan that have no result yet. The share is the one that --task names, else that of a Slurm job array ' +
        '(SLURM_ARRAY_TASK_ID), else that of a Kubernetes Indexed Job (JOB_COMPLETION_INDEX), else all. Any number of processes may ' +
        'work on one plan; a killed one is started again with the same command.',
    )
    .requiredOption('--plan <dir>', 'folder of the plan, shared by all machines')
    .option('--task <i/n>', 'the i-th of n shares, counted from 1')
    .option('--completions <n>', 'completions of the Kubernetes Indexed Job', parseInteger());
  addWorkOptions(command).action(async (options: WorkOptions & ShareOptions & { plan: string }) => {
    await work(new PlanFolder(options.plan), options, taskShare(options, process.env));
  });
  addExamples(command, [
    ['ptdpc experiment run --plan paper', 'all tasks, or the share of the job array that this is a task of'],
    ['ptdpc experiment run --plan paper --task 3/8', 'the third of eight shares'],
  ]);
}

function configureCollect(command: Command): void {
  command
    .summary("write a plan's tables from the results that there are")
    .description(
      'Write results.json, Markdown and LaTeX for every experiment of a plan from the results that there are, and report.html for those ' +
        'that are complete. Says what is missing.',
    )
    .requiredOption('--plan <dir>', 'folder of the plan')
    .option('--out <dir>', "where to write (default: the plan's folder)")
    .addOption(jsonOption())
    .action(async (options: CollectOptions) => {
      const folder = new PlanFolder(options.plan);
      await collect(folder, (await folder.read()).experiments, options);
    });
  addExamples(command, [['ptdpc experiment collect --plan paper', 'tables of what is done so far']]);
}

const TITLES: Readonly<Record<ExperimentName, string>> = {
  table1: 'Table 1: PT-DPC beside earlier methods',
  table2: 'Table 2: what a prompt is composed from',
  table3: 'Table 3: templates that the prompts start from',
  table4: 'Table 4: frozen encoders under a linear layer',
  figure4: 'Figure 4: confusion matrices',
  figure5: 'Figure 5: cases of the data sets',
};

function addPlanOptions(command: Command): Command {
  return command
    .option('--data-root <dir>', 'folder of the data sets')
    .option('--demo', 'drawn scenes in place of data sets, and the demonstration model')
    .option('--model <dir>', 'model directory (config.json, model.safetensors, merges.txt)')
    .option(
      '--deit <path>',
      "checkpoint of DeiT under timm's names, for its row of Table 4 (default: only the paper's)",
    )
    .requiredOption('--out <dir>', 'folder of the plan, its results and tables')
    .option('--settings <list>', 'settings separated by commas (default: those whose data set is there)', parseList)
    .option('--seeds <n>', 'seeds of each cell, from 0 on; at most one for each fold', parseInteger(1, MOST_SEEDS), 5)
    .addOption(new Option('--preset <name>', 'as for ptdpc train').choices(['paper', 'official']).default('paper'))
    .option(
      '--lr <list>',
      'learning rates that validation chooses from (default: 0.1,0.01,0.001 or the preset)',
      parseRates,
    )
    .option('--epochs <n>', "times through the images (default: the preset's)", parseInteger())
    .option('--batch-size <n>', "images per update (default: the preset's)", parseInteger())
    .option('--init-noise <share>', "noise on the prompts' start, as for ptdpc train (default: 0)", parseShare)
    .addOption(strictOption())
    .addOption(truncatedOption());
}

function addWorkOptions(command: Command): Command {
  return command
    .addOption(deviceOption())
    .addOption(memoryOption())
    .option('--cache <dir>', "where image features are kept (default: in the plan's folder)");
}

function parseExperiment(text: string, before: readonly ExperimentName[] = []): readonly ExperimentName[] {
  if (text === 'all') return EXPERIMENTS;
  const name = EXPERIMENTS.find((known) => known === text);
  if (!name) throw new InvalidArgumentError(`Expected ${EXPERIMENTS.join(', ')} or all.`);
  return EXPERIMENTS.filter((known) => known === name || before.includes(known));
}

function parseList(text: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.includes('')) throw new InvalidArgumentError('Expected names separated by commas.');
  return items;
}

function parseRates(text: string): number[] {
  return parseList(text).map(parsePositive);
}
