/** Makes a plan from what a user asks for: finds the data sets, hashes the models, draws a demonstration's scenes. */
import { join, resolve } from 'node:path';
import type { TruncatedImages } from '../../clip/image/index.js';
import { EMOTIONS, type Split } from '../../demo/index.js';
import { isRandom } from '../../encoders/index.js';
import { InputError } from '../../errors.js';
import {
  type DEMO_SETTINGS,
  demoSettings,
  type ExperimentName,
  inTableOrder,
  PAPER_LEARNING_RATES,
  PLAN_FORMAT,
  type Plan,
  type PlanEncoder,
  type PlanSetting,
} from '../../ptdpc/experiment/index.js';
import { PRESETS, type PreprocessChoice, type Preset } from '../../ptdpc/index.js';
import { createDirectoryAtomically } from '../atomic.js';
import { exists } from '../checkpoint-files.js';
import { writeScenes } from '../demo-scenes.js';
import type { Events } from '../events.js';
import { PAPER_ENCODERS } from '../hub/published-encoders.js';
import { openModelDirectory } from '../model-directory.js';
import { packageVersion } from '../package.js';
import { standIns } from '../random-encoder.js';
import { openCompared } from './context.js';
import { findSettings, openSettings } from './setting-data.js';

export interface PlanRequest {
  experiments: readonly ExperimentName[];
  /** Folder of the plan. */
  out: string;
  /** Folder of the data sets; undefined for a demonstration, whose scenes are drawn into `out`. */
  dataRoot: string | undefined;
  /** Settings to compute (see `findSettings` and `demoSettings`); undefined: the paper's whose data set is there, or all of a demonstration. */
  settings?: readonly string[] | undefined;
  model: string;
  /**
   * Checkpoints of encoders for Table 4, whose other rows are quoted. `all`: in a demonstration, stand-ins for all of the paper's that are
   * drawn at random into `out`; else the published files in the folder `encoders`.
   */
  encoders?: readonly string[] | undefined;
  /** How images are prepared for these encoders. Default: `own`. */
  preprocess?: PreprocessChoice | undefined;
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
  const drawn = dataRoot === undefined ? demoSettings(request.settings, '--datasets') : undefined;
  const preprocess = request.preprocess ?? 'own';
  const encoders = await planEncoders(request, preprocess);
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
      preprocess,
    },
    encoders,
    experiments: request.experiments,
    settings: drawn ? await demonstrationSettings(request, drawn) : settings,
    seeds: request.seeds,
  };
}

/** Opens every encoder, so that a damaged one is known before any work. */
async function planEncoders(request: PlanRequest, preprocess: PreprocessChoice): Promise<PlanEncoder[]> {
  const encoders = new Map<string, PlanEncoder>();
  for (const path of await encoderPaths(request)) {
    await using encoder = await openCompared(path, { preprocess });
    const { architecture } = encoder;
    const name = architecture.toLowerCase().replace(/[^a-z0-9]+/g, '-');
    const other = encoders.get(name);
    if (other)
      throw new InputError(
        `--encoders: ${other.path} and ${path} are both ${architecture}, and a table has one row of each; leave one out`,
      );
    const sha256 = await encoder.hash();
    encoders.set(name, { name, architecture, path: resolve(path), sha256, random: isRandom(encoder.weights) });
  }
  return inTableOrder([...encoders.values()]);
}

async function encoderPaths({ encoders = [], dataRoot, out, events }: PlanRequest): Promise<string[]> {
  const paths: string[] = [];
  for (const given of encoders) {
    if (given !== 'all') paths.push(given);
    else if (dataRoot === undefined) paths.push(...(await standIns(resolve(out, 'encoders'), events)));
    else paths.push(...(await fetchedEncoders()));
  }
  return paths;
}

/** The paper's encoders where the documentation has them fetched to. Throws InputError with the commands for those that are missing. */
async function fetchedEncoders(): Promise<string[]> {
  const paths = PAPER_ENCODERS.map((name) => join('encoders', name));
  const missing: string[] = [];
  for (const [i, path] of paths.entries()) if (!(await exists(path))) missing.push(PAPER_ENCODERS[i]!);
  if (missing.length === 0) return paths;
  throw new InputError(
    `--encoders all: expected ${paths.join(', ')}; missing: ${missing.join(', ')}; for each of them: npx ptdpc fetch ${missing[0]} --out encoders/${missing[0]}`,
  );
}

/** Draws the scenes, unless they are there. */
export async function demonstrationSettings(
  { out, events }: Pick<PlanRequest, 'out' | 'events'>,
  settings: readonly (typeof DEMO_SETTINGS)[number][],
): Promise<PlanSetting[]> {
  const root = resolve(out, 'scenes');
  if (!(await exists(root))) {
    await createDirectoryAtomically(root, async (folder) => {
      for (const [split, perClass] of Object.entries(SCENES) as [Split, number][]) {
        using bar = events.progress(perClass * EMOTIONS.length, `drawing ${split}`, 'scenes');
        await writeScenes(folder, split, perClass, 0, () => bar.tick(1));
      }
    });
  }
  return settings.map((setting) => ({ ...setting, root, folds: null }));
}
