/** Makes a study's plan from its file: finds model and data sets, and what cannot be computed is known before any work. */
import { resolve } from 'node:path';
import type { TruncatedImages } from '../../clip/image/index.js';
import { InputError } from '../../errors.js';
import { demoSettings } from '../../ptdpc/experiment/index.js';
import { type Dataset, imagesOf, requireVotes } from '../../ptdpc/index.js';
import {
  rowWork,
  STUDY_PLAN_FORMAT,
  type StudyConfiguration,
  type StudyDataset,
  type StudyFile,
  type StudyPlan,
} from '../../ptdpc/study/index.js';
import type { Events } from '../events.js';
import { demonstrationSettings } from '../experiment/make-plan.js';
import { openSeed } from '../experiment/setting-data.js';
import { openModelDirectory } from '../model-directory.js';
import { packageVersion } from '../package.js';

export interface StudyRequest {
  study: StudyFile;
  /** Model directory. */
  model: string;
  /** Folder of the study. */
  out: string;
  strict: boolean;
  truncated: TruncatedImages;
  testSelection: boolean;
  events: Events;
}

/** Throws InputError naming the data set or learner that does not allow the study. */
export async function makeStudy(request: StudyRequest): Promise<StudyPlan> {
  const { study, strict, truncated, testSelection, events } = request;
  await using model = await openModelDirectory(request.model);
  // Before scenes are drawn: without a vocabulary no text can be encoded.
  await model.tokenizer();
  const { title, demo, shots, seeds, rows } = study;
  const datasets = demo ? await demonstrationDatasets(request, demo) : study.data.map(found);
  const warnings = new Set<string>();
  const checked: StudyDataset[] = [];
  for (const dataset of datasets) checked.push(await checkedDataset(dataset, study, (line) => warnings.add(line)));
  for (const warning of warnings) events.say(warning);
  const configuration: StudyConfiguration = {
    format: STUDY_PLAN_FORMAT,
    demonstration: demo !== null,
    model: { directory: resolve(request.model), sha256: await model.hash() },
    ...{ strict, truncated, testSelection },
  };
  return { program: packageVersion(), configuration, title, datasets: checked, shots, seeds, rows };
}

type Unchecked = Omit<StudyDataset, 'folds' | 'sameTest'>;

const found = ({ name, label, dataset, path, splitSeed }: StudyFile['data'][number]): Unchecked => ({
  ...{ name, label, dataset, splitSeed, root: resolve(path) },
});

async function demonstrationDatasets(request: StudyRequest, names: readonly string[]): Promise<Unchecked[]> {
  const settings = await demonstrationSettings(request, demoSettings(names, 'demo'));
  return settings.map(({ name, label, dataset, root }) => ({ name, label, dataset, root, splitSeed: null }));
}

async function checkedDataset(
  dataset: Unchecked,
  { shots, seeds, rows }: StudyFile,
  warn: (line: string) => void,
): Promise<StudyDataset> {
  const { name, root, label, splitSeed } = dataset;
  const most = shots.reduce<number>((most, one) => Math.max(most, one ?? 0), 0);
  const data = await openSeed(dataset, 0, most === 0 ? null : most);
  for (const warning of data.warnings) warn(`${label}: ${warning.replace(/^--shots /, 'shots ')}`);
  const [image] = imagesOf(data, 'train');
  requireTest(data);
  for (const row of rows) {
    const work = rowWork(row, null, 0);
    const options = work.kind === 'prompts' ? work.options(0.1) : undefined;
    const where = `${row.name} on ${name}`;
    if (options && 'loss' in options && options.loss === 'kl') {
      try {
        requireVotes(image?.distribution);
      } catch (error) {
        throw error instanceof InputError ? new InputError(`${where}: ${error.message}`) : error;
      }
    }
    if (data.splits.val) continue;
    if (options?.keep === 'best')
      throw new InputError(
        `${where}: keep "best": expected validation images to choose an epoch by, found none in ${root}; leave it out`,
      );
    if ((work.kind === 'prompts' || work.kind === 'probe') && work.rates.length > 1 && shots.includes(1))
      throw new InputError(
        `${where}: "lr" with several rates: expected validation images to choose by, found none in ${root}, and of 1 image per class none can be held out; name one rate`,
      );
  }
  const { origin } = data;
  const folds = 'fold' in origin ? origin.folds : null;
  if (folds !== null && folds < seeds) warn(`${label}: ${folds} folds, so ${folds} seeds, not ${seeds}`);
  return { ...dataset, folds, sameTest: folds === null && (origin.kind !== 'seeded' || splitSeed !== null) };
}

function requireTest(data: Dataset): void {
  try {
    imagesOf(data, 'test');
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      `${error.message}; a study needs some to test on: add a folder test, or a split test to the manifest`,
    );
  }
}
