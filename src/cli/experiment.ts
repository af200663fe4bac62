/** `ptdpc experiment`: the paper's tables and figures, on one machine or many. */
import { type Command, InvalidArgumentError } from 'commander';
import { MOST_SEEDS } from '../ptdpc/experiment/json-files.js';
import { EXPERIMENTS, type ExperimentName } from '../ptdpc/experiment/results.js';
import { type ShareOptions, taskShare } from '../ptdpc/experiment/task-share.js';
import { TUNING_FIELDS } from '../ptdpc/options.js';
import type { CollectOptions, EstimateOptions, PlanOptions, WorkOptions } from './experiment-steps.js';
import {
  addExamples,
  deviceOption,
  fieldOption,
  jsonOption,
  memoryOption,
  parseField,
  parseInteger,
  preprocessOption,
  strictOption,
  truncatedOption,
} from './options.js';
import { configureStudies, datasetsOption, parseNames } from './study.js';

const steps = () => import('./experiment-steps.js');
const studySteps = () => import('./study-steps.js');

export function configure(command: Command): void {
  command
    .description(
      "Reproduce the paper's tables and figures, with several seeds per cell beside the paper's figure, or compare learners (learners, run-grid). One " +
        'command plans, computes and collects; plan, run and collect do these steps on many machines that share a folder.',
    )
    .usage('<table1|table2|table3|table4|figure4|figure5|all|learners|run-grid|plan|run|collect> [options]');
  for (const name of [...EXPERIMENTS, 'all'] as const) configureExperiment(command.command(name), name);
  configureStudies(command);
  configurePlan(command.command('plan'));
  configureRun(command.command('run'));
  configureCollect(command.command('collect'));
  addExamples(command, [
    ['ptdpc experiment table2 --data-root data --model clip-vit-b32 --out paper', 'Table 2, five seeds'],
    ['ptdpc experiment all --demo --out demo --seeds 2', 'everything, on drawn scenes and the demonstration model'],
    ['ptdpc experiment run --out paper --task 3/8', 'the third of eight shares of a plan'],
  ]);
}

function configureExperiment(command: Command, name: ExperimentName | 'all'): void {
  const description = name === 'all' ? 'All of the tables and figures.' : `${TITLES[name]}.`;
  addPlanOptions(
    command.summary(description).description(`${description} The same command resumes after an interruption.`),
  )
    .option('--plan-only', 'write the plan without computing anything')
    .addOption(jsonOption());
  addWorkOptions(command).action(
    async (options: PlanOptions & WorkOptions & { planOnly?: boolean; json?: boolean }) => {
      const experiments = name === 'all' ? EXPERIMENTS : [name];
      const { plan, work, collect } = await steps();
      await plan(experiments, options);
      if (options.planOnly) return;
      await work(options, undefined, true);
      await collect(options, experiments);
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
      'Write a plan of independent tasks for some experiments, and estimate how long they take on this device. Adds to an existing plan.',
    )
    .argument('<experiments...>', `${EXPERIMENTS.join(', ')} or all`, parseExperiment);
  addPlanOptions(command)
    .addOption(deviceOption())
    .addOption(memoryOption())
    .option('--no-estimate', 'do not measure how long the plan takes on this device')
    .addOption(jsonOption())
    .action(async (names: readonly ExperimentName[], options: PlanOptions & EstimateOptions) => {
      const { plan, sayEstimate } = await steps();
      await sayEstimate(await plan(names, options), options);
    });
  addExamples(command, [
    ['ptdpc experiment plan all --data-root data --model clip-vit-b32 --out paper', 'a plan of everything'],
  ]);
}

function configureRun(command: Command): void {
  command
    .summary("compute a plan's tasks, or a share of them")
    .description(
      'Compute the tasks of a plan that have no result yet. The share is given by --task, by a Slurm job array (SLURM_ARRAY_TASK_ID) ' +
        'or by a Kubernetes Indexed Job (JOB_COMPLETION_INDEX); without any of them, all tasks are computed. Any number of processes ' +
        'can work on one plan, and a killed one is restarted with the same command.',
    )
    .requiredOption('--out <dir>', 'folder of the plan, shared by all machines')
    .option('--task <i/n>', 'the i-th of n shares, counted from 1')
    .option('--completions <n>', 'completions of the Kubernetes Indexed Job', parseInteger());
  addWorkOptions(command).action(async (options: WorkOptions & ShareOptions) => {
    const share = taskShare(options, process.env);
    const { isStudy, workOnStudy } = await studySteps();
    if (await isStudy(options.out)) await workOnStudy(options, share);
    else await (await steps()).work(options, share);
  });
  addExamples(command, [
    ['ptdpc experiment run --out paper', 'all tasks, or the share of the job array that this runs in'],
    ['ptdpc experiment run --out paper --task 3/8', 'the third of eight shares'],
  ]);
}

function configureCollect(command: Command): void {
  command
    .summary("write a plan's tables from the results so far")
    .description(
      'Write results.json, Markdown and LaTeX for every experiment of a plan from the results so far, and report.html for those ' +
        'that are complete. Reports what is missing.',
    )
    .requiredOption('--out <dir>', 'folder of the plan')
    .option('--tables <dir>', "where to write (default: the plan's folder)")
    .addOption(jsonOption())
    .action(async (options: CollectOptions) => {
      const { isStudy, collectStudyResults } = await studySteps();
      if (await isStudy(options.out)) await collectStudyResults(options);
      else await (await steps()).collect(options);
    });
  addExamples(command, [['ptdpc experiment collect --out paper', 'tables of what is done so far']]);
}

const TITLES: Readonly<Record<ExperimentName, string>> = {
  table1: 'Table 1: PT-DPC beside earlier methods',
  table2: 'Table 2: modes of composition',
  table3: 'Table 3: initial templates',
  table4: 'Table 4: linear probes on frozen encoders',
  figure4: 'Figure 4: confusion matrices',
  figure5: 'Figure 5: most confident predictions',
};

function addPlanOptions(command: Command): Command {
  return command
    .option('--data-root <dir>', 'folder of the data sets')
    .option('--demo', 'use drawn scenes and the demonstration model')
    .option('--model <dir>', 'model directory (config.json, model.safetensors, merges.txt)')
    .option(
      '--encoders <list>',
      "checkpoints of other encoders for their rows of Table 4, comma-separated, or all: the paper's in the folder encoders " +
        "(ptdpc fetch), with --demo small stand-ins with random weights (default: quote the paper's figures)",
      parseNames,
    )
    .addOption(preprocessOption())
    .requiredOption('--out <dir>', 'folder of the plan, its runs and tables')
    .addOption(datasetsOption())
    .option('--seeds <n>', 'seeds per cell, starting at 0; at most one per fold', parseInteger(1, MOST_SEEDS), 5)
    .addOption(fieldOption(TUNING_FIELDS.preset).default('paper'))
    .option(
      '--lr <list>',
      'learning rates to choose from by validation (default: 0.1,0.01,0.001 or the preset)',
      parseRates,
    )
    .addOption(fieldOption(TUNING_FIELDS.epochs, "the preset's"))
    .addOption(fieldOption(TUNING_FIELDS.batchSize, "the preset's"))
    .addOption(fieldOption(TUNING_FIELDS.initNoise, 0))
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

function parseRates(text: string): number[] {
  return parseNames(text).map((rate) => parseField(TUNING_FIELDS.learningRate, rate));
}
