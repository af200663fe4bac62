/**
 * run.json, the record of a run: what was asked for, and with what it was made. Every learner has a folder of the same kind; the record says
 * which it is:
 *
 *     run.json               this record
 *     prompts.safetensors    what was learned: prompts, of the texts or of the image tower (`train`), or learned.safetensors of a learner on features (`train`), probe.safetensors (`probe`), or nothing
 *                            (`zeroshot`)
 *     metrics.jsonl          loss and accuracy of each step and epoch (`train`)
 *     images.csv             the images that it was trained on (run-images.ts)
 *     results/               evaluations by data set and split (results.ts)
 *     zero-shot/             CLIP without training on the same images, a run of its own (`eval` of prompts); zero-shot-<...>/ of other classes
 */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { TRUNCATED_CHOICES, type TruncatedImages } from '../clip/image/index.js';
import { InputError } from '../errors.js';
import type { Backend } from '../kernels/index.js';
import { FEATURE_FACTS, featureFactsOf } from '../learners/features/facts.js';
import type { Trial } from '../learners/features/feature-learner.js';
import { type ImageOptions, imageOptionsSchema } from '../learners/images/index.js';
import { type PromptOptions, promptOptionsSchema } from '../learners/prompts/index.js';
import {
  type ClassName,
  type Dataset,
  FEATURE_KINDS,
  type FeatureKind,
  hasPublishedLists,
  isClassList,
  PREPROCESS_CHOICES,
  PROBE_FIELDS,
  type PreprocessChoice,
  type ProbeOptions,
  type RateChoice,
  SETTING_NAMES,
  type SettingName,
  type SplitOrigin,
  splitOriginSchema,
} from '../ptdpc/index.js';
import { finite, parseJsonAs, positive, share, text, whole } from '../ptdpc/parse-json.js';
import { exists, readText } from './checkpoint-files.js';
import type { EncodedSplit } from './encode-splits.js';
import { packageVersion } from './package.js';
import { contentHash, pathInData, skippedInData } from './run-images.js';

/** What the records of all learners have. */
export interface CommonRecord {
  program: string;
  node: string;
  classes: readonly ClassName[];
  /** `sha256`: see `modelIdentity`. */
  model: { directory: string; sha256: string };
  data: string;
  dataset: { setting: SettingName; origin: SplitOrigin };
  device: { kind: string; description: string };
  memory: number;
  strict: boolean;
  /** What was done with images whose files are cut short. */
  truncated: TruncatedImages;
}

/** An image by its path relative to the data set's folder. */
export interface SplitPath {
  split: 'train' | 'val';
  path: string;
}

/** The images of a training: how many, and which (see `contentHash`). `trainSha256` is null in runs of earlier versions. */
export interface TrainedOn {
  images: { train: number; val: number | null; trainSha256: string | null; valSha256: string | null };
  /** Images that were read though their files are cut short. */
  truncatedRead: readonly SplitPath[];
  /** Images that could not be read and were left out. */
  skipped: readonly (SplitPath & { reason: string })[];
}

/** Prompts, trained by `ptdpc train`. The options of another learner than PT-DPC name it (`learnerOf`). */
export interface PromptsRecord extends CommonRecord, TrainedOn {
  learner: 'prompts';
  options: PromptOptions;
  /** Of prompts that another program has learned (`ptdpc import`): the file that they are from. */
  imported?: { file: string; sha256: string } | undefined;
}

/** Prompts of the image tower, trained by `ptdpc train --learner`. */
export interface ImagesRecord extends CommonRecord, TrainedOn {
  learner: 'images';
  options: ImageOptions;
}

/** The record of a training that resumes. */
export type TrainingRecord = PromptsRecord | ImagesRecord;

/** A linear layer, trained by `ptdpc probe`. */
export interface ProbeRecord extends CommonRecord, TrainedOn {
  learner: 'probe';
  features: FeatureKind;
  preprocess: PreprocessChoice;
  options: ProbeOptions;
  /** The learning rates that validation chose between; empty if one was given. */
  choice: RateChoice[];
}

/** What a learner on CLIP's features has learned, by `ptdpc train --learner`. */
export interface FeaturesRecord extends CommonRecord, TrainedOn {
  learner: 'features';
  /** Of the learner, as in `FEATURE_LEARNERS`. */
  name: string;
  options: Readonly<Record<string, unknown>>;
  /** The numbers of its equation that were given, or chosen on validation images. */
  constants: Readonly<Record<string, number>>;
  /** What validation chose between; empty if nothing was chosen. */
  choice: readonly Trial[];
}

/** CLIP without training, evaluated by `ptdpc zeroshot`. */
export interface ZeroShotRecord extends CommonRecord {
  learner: 'zero-shot';
  templates: readonly string[];
}

/** The contents of run.json. */
export type RunRecord = TrainingRecord | ProbeRecord | FeaturesRecord | ZeroShotRecord;

/** The record's part that all learners have, of a run that starts now. */
export async function commonRecord({
  model,
  dataset,
  backend,
  memory,
  strict = false,
  truncated = 'skip',
}: {
  model: { readonly directory: string; hash(): Promise<string> };
  dataset: Pick<Dataset, 'root' | 'setting' | 'origin' | 'classes'>;
  backend: Pick<Backend, 'kind' | 'description'>;
  memory: number;
  strict?: boolean | undefined;
  truncated?: TruncatedImages | undefined;
}): Promise<CommonRecord> {
  const { root, setting, origin, classes } = dataset;
  return {
    program: packageVersion(),
    node: process.version,
    classes,
    model: { directory: resolve(model.directory), sha256: await model.hash() },
    data: resolve(root),
    dataset: { setting, origin },
    device: { kind: backend.kind, description: backend.description },
    ...{ memory, strict, truncated },
  };
}

/** The images of a split that were read, whatever was made of them. */
export type ReadSplit = Pick<EncodedSplit, 'labels' | 'votes' | 'paths' | 'hashes' | 'skipped' | 'truncated'>;

/** The record's part about the images that were trained on. */
export function trainedOn(root: string, train: ReadSplit, validation: ReadSplit | undefined): TrainedOn {
  const splits = [['train', train] as const, ...(validation ? [['val', validation] as const] : [])];
  return {
    images: {
      train: train.labels.length,
      val: validation?.labels.length ?? null,
      trainSha256: contentHash(train),
      valSha256: validation ? contentHash(validation) : null,
    },
    truncatedRead: splits.flatMap(([split, images]) =>
      images.truncated.map((path) => ({ split, path: pathInData(root, path) })),
    ),
    skipped: splits.flatMap(([split, images]) =>
      images.skipped.map((image) => ({ split, ...skippedInData(root, image) })),
    ),
  };
}

/**
 * Where the folder of a run of prompts has CLIP's results without training: a run of its own. `others`: what results of other classes than the
 * run's are called, for which there is one each.
 */
export function zeroShotFolder(run: string, others?: string): string {
  return join(run, others === undefined ? ZERO_SHOT : `${ZERO_SHOT}-${others}`);
}

const ZERO_SHOT = 'zero-shot';

/** The folders of a run that `zeroShotFolder` has made. */
export async function zeroShotFolders(run: string): Promise<string[]> {
  const names = await readdir(run).catch(() => []);
  return names
    .filter((name) => name === ZERO_SHOT || name.startsWith(`${ZERO_SHOT}-`))
    .sort()
    .map((name) => join(run, name));
}

/** The text of run.json. */
export function recordJson(record: RunRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

const commonFields = {
  program: text,
  node: text,
  classes: v.custom<ClassName[]>(isClassList),
  model: v.object({ directory: text, sha256: text }),
  data: text,
  // Runs of earlier versions are of folders.
  dataset: v.optional(
    v.pipe(
      v.object({ setting: v.picklist(SETTING_NAMES), origin: splitOriginSchema }),
      // Earlier versions called every split of folders published.
      v.transform(({ setting, origin }) =>
        origin.kind === 'published' && !hasPublishedLists(setting)
          ? { setting, origin: { kind: 'given' as const } }
          : { setting, origin },
      ),
    ),
    { setting: 'folders', origin: { kind: 'given' } },
  ),
  device: v.object({ kind: text, description: text }),
  memory: positive,
  strict: v.boolean(),
  // Runs of earlier versions skipped them.
  truncated: v.optional(v.picklist(TRUNCATED_CHOICES), 'skip'),
};

const splitPath = v.object({ split: v.picklist(['train', 'val']), path: text });

const trainedOnFields = {
  images: v.object({
    train: whole,
    val: v.nullable(whole),
    trainSha256: v.optional(v.nullable(text), null),
    valSha256: v.optional(v.nullable(text), null),
  }),
  // Earlier versions counted them, or said nothing.
  truncatedRead: v.optional(
    v.union([
      v.array(splitPath),
      v.pipe(
        v.object({ train: whole, val: whole }),
        v.transform((): SplitPath[] => []),
      ),
    ]),
    [],
  ),
  skipped: v.optional(v.array(v.object({ ...splitPath.entries, reason: text })), []),
};

const promptsRecord = v.object({
  learner: v.literal('prompts'),
  ...commonFields,
  ...trainedOnFields,
  options: promptOptionsSchema,
  imported: v.optional(v.object({ file: text, sha256: text })),
});

const imagesRecord = v.object({
  learner: v.literal('images'),
  ...commonFields,
  ...trainedOnFields,
  options: imageOptionsSchema,
});

const probeRecord = v.object({
  learner: v.literal('probe'),
  ...commonFields,
  ...trainedOnFields,
  features: v.picklist(FEATURE_KINDS),
  // Earlier versions had no choice.
  preprocess: v.optional(v.picklist(PREPROCESS_CHOICES), 'own'),
  options: v.object(PROBE_FIELDS),
  choice: v.array(v.object({ learningRate: positive, valAccuracy: share, valLoss: finite })),
});

const numbers = v.record(text, finite);

const featuresRecord = v.pipe(
  v.object({
    learner: v.literal('features'),
    ...commonFields,
    ...trainedOnFields,
    name: v.picklist(
      FEATURE_FACTS.map(({ name }) => name),
      'the name of a learner on features that this version knows',
    ),
    options: v.record(text, v.unknown()),
    constants: numbers,
    choice: v.array(v.object({ values: numbers, valAccuracy: share, valLoss: finite })),
  }),
  v.check(({ name, options }) => v.is(v.object(featureFactsOf(name)?.fields ?? {}), options), 'options of its learner'),
);

const zeroShotRecord = v.object({
  learner: v.literal('zero-shot'),
  ...commonFields,
  templates: v.pipe(v.array(text), v.minLength(1)),
});

const record: v.GenericSchema<unknown, RunRecord> = v.pipe(
  v.looseObject({}),
  // Earlier versions had a run.json for prompts only.
  v.transform((run) => ({ learner: 'prompts', ...run })),
  v.variant('learner', [promptsRecord, imagesRecord, probeRecord, featuresRecord, zeroShotRecord]),
);

/** The record of a run. Throws InputError if there is none, or something else. */
export async function readRunRecord(run: string): Promise<RunRecord> {
  const path = join(run, 'run.json');
  if (await exists(path)) return parseJsonAs(record, await readText(path), path, 'the record of a run');
  if (await exists(join(run, 'probe.json')))
    throw new InputError(
      `${run}: a probe of an earlier version, which cannot be used here; train it again (npx ptdpc probe)`,
    );
  const inner = await runBelow(run);
  throw new InputError(
    `${path}: not found; ${inner === undefined ? 'expected the folder of a run (npx ptdpc train --out <run>)' : `did you mean ${inner}?`}`,
  );
}

/** The only run in the folders right below `folder`; undefined if there is none, or several. */
async function runBelow(folder: string): Promise<string | undefined> {
  const names = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of names) {
    const inner = join(folder, entry.name);
    if (entry.isDirectory() && (await exists(join(inner, 'run.json')))) found.push(inner);
  }
  return found.length === 1 ? found[0] : undefined;
}

/** The record of a run of prompts. Throws InputError for another learner's too. */
export async function readPromptsRecord(run: string): Promise<PromptsRecord> {
  const found = await readRunRecord(run);
  if (found.learner === 'prompts') return found;
  const learner = found.learner === 'images' ? found.options.learner : found.learner;
  throw new InputError(`${run}: a run of learner ${learner}; expected one with prompts of texts (npx ptdpc train)`);
}

/** The record of a training that resumes. Throws InputError for another learner's. */
export async function readTrainingRecord(run: string): Promise<TrainingRecord> {
  const found = await readRunRecord(run);
  return found.learner === 'images' ? found : await readPromptsRecord(run);
}
