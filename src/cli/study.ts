/** `ptdpc experiment learners` and `ptdpc experiment run-grid`: learners beside one another. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LEARNERS } from '../learners/index.js';
import { TUNING_FIELDS } from '../ptdpc/options.js';
import { STUDY_LEARNERS } from '../ptdpc/study/rows.js';
import { MOST_STUDY_SEEDS, type StudyFile } from '../ptdpc/study/study.js';
import {
  addExamples,
  deviceOption,
  fieldOption,
  jsonOption,
  memoryOption,
  parseInteger,
  strictOption,
  truncatedOption,
} from './options.js';
import type { LearnersOptions, StudyOptions, StudyWorkOptions } from './study-steps.js';

const steps = () => import('./study-steps.js');

/** Adds both to `ptdpc experiment`. */
export function configureStudies(command: Command): void {
  configureLearners(command.command('learners'));
  configureGrid(command.command('run-grid'));
}

type Options = StudyOptions & StudyWorkOptions & { planOnly?: boolean; json?: boolean };

function configureLearners(command: Command): void {
  command
    .summary('compare learners')
    .description(
      'Compare learners on data sets, with several numbers of images per class and seeds, at their published options, CLIP without training among ' +
        'them. The study is written to learners.json in the folder, for run-grid with other options. The same command resumes after an interruption.',
    )
    .option('--data-root <dir>', 'folder of the data sets')
    .option('--demo', 'use drawn scenes and the demonstration model')
    .addOption(datasetsOption())
    .option(
      '--learners <list>',
      `comma-separated: ${STUDY_LEARNERS.join(', ')}; or texts, features, or all`,
      parseLearners,
      parseLearners('all'),
    )
    .option(
      '--shots <list>',
      'images per class to learn from, comma-separated; all: every one',
      parseShots,
      [1, 2, 4, 8, 16],
    )
    .option('--seeds <n>', 'seeds per cell, starting at 0; at most one per fold', parseInteger(1, MOST_STUDY_SEEDS), 3)
    .addOption(fieldOption(TUNING_FIELDS.epochs, 'the published ones'));
  addStudyOptions(command).action(async (options: Options & LearnersOptions) => {
    const { learnersStudy, saveLearners } = await steps();
    const { json, study } = await learnersStudy(options);
    await doStudy(study, options, async () => await saveLearners(options.out, json));
  });
  addExamples(command, [
    [
      'ptdpc experiment learners --data-root data --model clip-vit-b32 --out learners',
      'every learner on every data set',
    ],
    [
      'ptdpc experiment learners --demo --learners coop,tip-adapter-f --shots 1,4,16 --out few',
      'two learners on the demonstration, offline',
    ],
  ]);
}

function configureGrid(command: Command): void {
  command
    .summary('compare learners as a file says')
    .description(
      'Compare learners on data sets, with several numbers of images per class and seeds, as a JSON file says (docs/studies.md). The same ' +
        'command resumes after an interruption; another file with the same --out adds to it. run and collect work on its folder too.',
    )
    .argument('<file>', 'the study: title, data sets, images per class, seeds, learners and their options')
    .option('--demo', 'on drawn scenes and the demonstration model, in place of those of the file');
  addStudyOptions(command).action(async (path: string, options: Options) => {
    const { readStudy } = await steps();
    await doStudy(await readStudy(path, options), options);
  });
  addExamples(command, [
    ['ptdpc experiment run-grid study.json --out study', 'everything that the file asks for'],
    ['ptdpc experiment run-grid study.json --out study --plan-only', 'only a plan, for run on several machines'],
  ]);
}

async function doStudy(
  study: StudyFile,
  options: Options,
  planned: () => Promise<void> = async () => {},
): Promise<void> {
  const { planStudy, workOnStudy, collectStudyResults } = await steps();
  await planStudy(study, options);
  await planned();
  if (options.planOnly) return;
  await workOnStudy(options, undefined, true);
  await collectStudyResults(options);
}

function addStudyOptions(command: Command): Command {
  return command
    .option('--model <dir>', 'model directory (config.json, model.safetensors, merges.txt)')
    .requiredOption('--out <dir>', 'folder of the study, its runs and results')
    .option('--no-test-selection', 'leave out what choosing on the test images would have given')
    .option('--plan-only', 'write the plan without computing anything')
    .addOption(strictOption())
    .addOption(truncatedOption())
    .addOption(jsonOption())
    .addOption(deviceOption())
    .addOption(memoryOption())
    .option('--cache <dir>', "where image features are kept (default: in the study's folder)");
}

/** Which data sets of `--data-root`, or of the demonstration. */
export function datasetsOption(): Option {
  return new Option(
    '--datasets <list>',
    'comma-separated, name or name=folder, e.g. fi8,twitter1=/data/folds; with --demo scenes8, scenes2 (default: all that are found)',
  ).argParser(parseNames);
}

/** Names that are separated by commas. */
export function parseNames(text: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.includes('')) throw new InvalidArgumentError('Expected names separated by commas.');
  return items;
}

/** CLIP without training is always among them. */
function parseLearners(text: string): string[] {
  const of = (space: string) => LEARNERS.filter((learner) => learner.space === space).map(({ name }) => name);
  const wanted = parseNames(text).flatMap((item) => {
    if (item === 'all') return STUDY_LEARNERS;
    if (item === 'texts' || item === 'features') return of(item);
    if (STUDY_LEARNERS.includes(item)) return [item];
    throw new InvalidArgumentError(
      `Expected some of ${STUDY_LEARNERS.join(', ')}; or texts, features or all; found ${item}.`,
    );
  });
  return STUDY_LEARNERS.filter((name) => name === 'zero-shot' || wanted.includes(name));
}

function parseShots(text: string): (number | 'all')[] {
  return parseNames(text).map((item) => {
    if (item === 'all') return item;
    if (!/^[1-9]\d{0,8}$/.test(item)) throw new InvalidArgumentError('Expected whole numbers from 1 on, or all.');
    return Number(item);
  });
}
