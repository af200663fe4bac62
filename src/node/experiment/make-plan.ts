/** Makes a plan from what a user asks for: finds the data sets, hashes the models, draws a demonstration's scenes. */
import { resolve } from 'node:path';
import type { TruncatedImages } from '../../clip/image/index.js';
import { EMOTIONS, type Split } from '../../demo/index.js';
import {
  type ExperimentName,
  PAPER_LEARNING_RATES,
  PLAN_FORMAT,
  type Plan,
  type PlanSetting,
} from '../../ptdpc/experiment/index.js';
import { PRESETS, type Preset } from '../../ptdpc/index.js';
import { createDirectoryAtomically } from '../atomic.js';
import { exists } from '../checkpoint-files.js';
import { writeScenes } from '../demo-scenes.js';
import type { Events } from '../events.js';
import { openModelDirectory } from '../model-directory.js';
import { packageVersion } from '../package.js';
import { openDeit } from './context.js';
import { findSettings, openSettings } from './setting-data.js';

export interface PlanRequest {
  experiments: readonly ExperimentName[];
  /** Folder of the plan. */
  out: string;
  /** Folder of the data sets; undefined for a demonstration, whose scenes are drawn into `out`. */
  dataRoot: string | undefined;
  /** Settings to compute (see `findSettings`); undefined: the paper's whose data set is there. */
  settings?: readonly string[] | undefined;
  model: string;
  /** Checkpoint of Table 4's DeiT; undefined: its row is quoted. */
  deit?: string | undefined;
  seeds: number;
  preset: Preset;
  /** Undefined: the paper's three for the preset `paper`, else the preset's own. */
  learningRates?: readonly number[] | undefined;
  epochs?: number | undefined;
  batchSize?: number | undefined;
  /** Noise on the prompts' start; 0 unless given. */
  initNoise?: number | undefined;
  strict: boolean;
  /** What becomes of images whose files are cut short. Default: `skip`. */
  truncated?: TruncatedImages | undefined;
  events: Events;
}

/** Scenes of each emotion in a demonstration. */
const SCENES: Readonly<Record<Split, number>> = { train: 25, val: 15, test: 40 };

export async function makePlan(request: PlanRequest): Promise<Plan> {
  const { preset, learningRates } = request;
  await using model = await openModelDirectory(request.model);
  // Before the scenes are drawn: without a vocabulary nothing can be tuned.
  await model.tokenizer();
  const { dataRoot, events } = request;
  const deit = request.deit === undefined ? null : await deitOf(request.deit);
  const found = dataRoot === undefined ? [] : await findSettings(dataRoot, request.settings);
  const { settings, warnings } = await openSettings(found, request.settings !== undefined);
  for (const warning of warnings) events.say(warning);
  for (const { label, folds } of settings) {
    if (folds !== null && folds < request.seeds)
      events.say(`${label}: ${folds} folds, so ${folds} seeds, not ${request.seeds}`);
  }
  const rates = preset === 'paper' ? PAPER_LEARNING_RATES : [PRESETS[preset].learningRate];
  return {
    program: packageVersion(),
    configuration: {
      format: PLAN_FORMAT,
      demonstration: dataRoot === undefined,
      preset,
      epochs: request.epochs ?? null,
      batchSize: request.batchSize ?? null,
      initNoise: request.initNoise ?? 0,
      learningRates: learningRates ?? rates,
      model: { directory: resolve(request.model), sha256: await model.hash() },
      strict: request.strict,
      truncated: request.truncated ?? 'skip',
    },
    deit,
    experiments: request.experiments,
    settings: dataRoot === undefined ? await demonstrationSettings(request) : settings,
    seeds: request.seeds,
  };
}

async function deitOf(path: string): Promise<Plan['deit']> {
  await using encoder = await openDeit(path);
  return { path: resolve(path), sha256: await encoder.hash() };
}

/** Draws the scenes, unless they are there; the two settings differ in their classes, as FI's do. */
async function demonstrationSettings({ out, events }: PlanRequest): Promise<PlanSetting[]> {
  const root = resolve(out, 'scenes');
  if (!(await exists(root))) {
    await createDirectoryAtomically(root, async (folder) => {
      for (const [split, perClass] of Object.entries(SCENES) as [Split, number][]) {
        using bar = events.progress(perClass * EMOTIONS.length, `drawing ${split}`, 'scenes');
        await writeScenes(folder, split, perClass, 0, () => bar.tick(1));
      }
    });
  }
  return [
    { name: 'scenes8', label: 'Scenes 8', dataset: 'fi8', root, folds: null },
    { name: 'scenes2', label: 'Scenes 2', dataset: 'fi2', root, folds: null },
  ];
}
