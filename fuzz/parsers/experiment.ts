/** The files of a plan's folder, which pass between machines: plan.json, the result of a task's run, results.json. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { PlanFolder } from '../../src/node/experiment/plan-folder.js';
import { readExperiments } from '../../src/node/report/index.js';
import {
  collectExperiment,
  EXPERIMENTS,
  type ExperimentResults,
  joinPlans,
  latexReport,
  markdownReport,
  plannedExperiments,
  planTasks,
  type Task,
} from '../../src/ptdpc/experiment/index.js';
import { experimentReport } from '../../src/report/index.js';
import { somePlan, someResults } from '../../test/ptdpc/experiment/support.js';
import { writeTaskRun } from '../../test/support/task-run.js';
import { type FuzzedParser, MiB } from '../parser.js';
import { damagedJson } from './json.js';

const PLAN = somePlan({ seeds: 1 });
const TASKS = planTasks(PLAN);
const TASK = TASKS.find(({ name }) => name === 'fi8.both.seed0') as Task;
const RESULTS = someResults(PLAN);

let folder: PlanFolder;

const prepare = async (scratch: string) => {
  folder = new PlanFolder(join(scratch, 'fuzzed-plan'));
  await folder.write(PLAN);
};
const memory = (length: number) => 64 * MiB + 64 * length;

export const plan: FuzzedParser = {
  name: 'plan',
  what: 'plan.json of experiments, and the names of its tasks',
  prepare,
  make: (random) => damagedJson(JSON.stringify(PLAN), random),
  async read(input) {
    await writeFile(join(folder.path, 'plan.json'), input);
    const found = await folder.read();
    joinPlans(found, found, 'fuzzed-plan');
    const runs = resolve(folder.path, 'runs') + sep;
    for (const { name } of planTasks(found)) {
      if (!resolve(folder.runs(name)).startsWith(runs)) throw new Error(`a task outside the folder: ${name}`);
    }
  },
  names: 'fuzzed-plan',
  // Up to 32 settings of 1000 seeds: a third of a million tasks.
  memory: () => 256 * MiB,
};

let taskFile: string;
let taskJson: string;

export const taskResult: FuzzedParser = {
  name: 'task',
  what: "the result of a task's run, collected with the others",
  prepare: async (scratch) => {
    await prepare(scratch);
    for (const task of TASKS.slice(0, 3)) await writeTaskRun(folder, task);
    taskFile = await writeTaskRun(folder, TASK);
    taskJson = await readFile(taskFile, 'utf8');
  },
  make: (random) => damagedJson(taskJson, random),
  async read(input) {
    await writeFile(taskFile, input);
    const found = await folder.results(TASKS);
    for (const planned of plannedExperiments(PLAN)) {
      const collected = collectExperiment(PLAN, planned, found);
      latexReport(collected);
      markdownReport(collected);
    }
  },
  names: 'fuzzed-plan',
  memory,
};

const COLLECTED = plannedExperiments(PLAN).map((planned) => collectExperiment(PLAN, planned, RESULTS));

/** One experiment's file; which one, the file says. */
const place = (scratch: string) => join(scratch, 'fuzzed-results');
let resultsFolder: string;

export const results: FuzzedParser = {
  name: 'results',
  what: 'results.json, made into a page',
  prepare: async (scratch) => {
    resultsFolder = place(scratch);
    await mkdir(resultsFolder);
  },
  make: (random) => {
    const one: ExperimentResults = random.pick(COLLECTED);
    const another = random.oneIn(4) ? { ...one, experiment: random.pick(EXPERIMENTS) } : one;
    return damagedJson(JSON.stringify(another), random);
  },
  async read(input) {
    await writeFile(join(resultsFolder, 'results.json'), input);
    const found = await readExperiments(resultsFolder);
    experimentReport({ name: 'fuzzed', results: found, pictures: new Map() });
  },
  names: 'fuzzed-results',
  memory: (length) => 128 * MiB + 64 * length,
};
