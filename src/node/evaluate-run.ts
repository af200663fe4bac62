/**
 * Evaluating a run on labelled images, from folder names to a result on disk: what `ptdpc eval` and `ptdpc zeroshot` do, for programs. The
 * result goes into the run's folder (results.ts).
 */
import { join, resolve } from 'node:path';
import { counted, InputError } from '../errors.js';
import {
  type ClassName,
  comparePaired,
  correctness,
  type Dataset,
  describeDataset,
  describeOrigin,
  type Evaluation,
  type EvaluationMetrics,
  imagesOf,
  namedSetting,
  type PairedComparison,
  type Split,
} from '../ptdpc/index.js';
import { Engine } from '../tensor/index.js';
import { createDirectoryAtomically, writeFileAtomically } from './atomic.js';
import { exists } from './checkpoint-files.js';
import { type Classifier, openClassifier, zeroShotClassifier } from './classifier.js';
import { type DatasetOptions, openDataset } from './datasets.js';
import type { OpenedDevice } from './device.js';
import type { EncodedSplit, ImageJob } from './encode-splits.js';
import { evaluateInBlocks } from './evaluate-blocks.js';
import { type Events, SILENT } from './events.js';
import { sha256 } from './feature-segment.js';
import type { SkippedImage } from './image-files.js';
import { makeFolder, requireWritable } from './make-folder.js';
import { openModelDirectory } from './model-directory.js';
import {
  type AddPredictions,
  listResults,
  type ResultFile,
  readResult,
  resultName,
  type ScoredSplit,
  type WrittenResult,
  writeResultInBlocks,
} from './results.js';
import { readRunImages, type SeenImages, seenImages } from './run-images.js';
import {
  commonRecord,
  type RunRecord,
  readRunRecord,
  recordJson,
  type ZeroShotRecord,
  zeroShotFolder,
} from './run-record.js';

/** How images are read and encoded, and on what. */
export interface EvaluationOptions extends ImageJob {
  readonly split: Split;
  /** True: unreadable images, and test images that the run was trained on, are an InputError. */
  readonly strict?: boolean | undefined;
  readonly events?: Events | undefined;
}

/** CLIP without training on the images of an evaluation, by the run's template. */
export interface ZeroShotResult {
  readonly evaluation: EvaluationMetrics;
  /** It is a run of its own, in the folder `zero-shot` of the run. */
  readonly written: WrittenResult;
  /** From zero-shot to the run. */
  readonly comparison: PairedComparison;
}

export interface EvaluationRequest extends EvaluationOptions {
  /** Folder of a run of any learner, or a prompts.safetensors alone. */
  readonly run: string;
  /** Model directory. Default: where the run found it. */
  readonly model?: string | undefined;
  /** Folder of the data set, or a manifest. Default: the run's. */
  readonly data?: string | undefined;
  /** How the data set is laid out and split. Default: as in the run, if it is the same data set. A half is one of the data set's own classes. */
  readonly dataset?: Omit<DatasetOptions, 'classes'> | undefined;
  /** Other classes than the run's: a list as in `--classes`, or `own`, those of the data set. Default: `own` with a half, else the run's. */
  readonly classes?: string | { readonly own: true } | undefined;
  /** Prompts in a run's folder: evaluate CLIP without training on the same images, and compare. Default: true. */
  readonly zeroShot?: boolean | undefined;
}

export interface ZeroShotRequest extends EvaluationOptions {
  /** Model directory. */
  readonly model: string;
  readonly data: string;
  readonly dataset?: DatasetOptions | undefined;
  /** Texts of a class, as `classText` takes them; the features of several are averaged. */
  readonly templates: readonly string[];
  /** Folder of the run; undefined: nothing is written. */
  readonly out?: string | undefined;
}

/** A run's evaluation on one split. */
export interface EvaluatedRun {
  readonly classes: readonly ClassName[];
  /** `probabilities` is empty where there are more than 16 million of them: the result's table has them. */
  readonly evaluation: Evaluation;
  /** Images that the run was trained on; null for the training split, and if the run did not record its own. */
  readonly seen: SeenImages | null;
  readonly skipped: readonly SkippedImage[];
  readonly truncated: readonly string[];
  /** Undefined for a prompts.safetensors alone, and for zero-shot without `out`. */
  readonly written: WrittenResult | undefined;
  /** Null for anything but prompts in a run's folder, and if it was not asked for. */
  readonly zeroShot: ZeroShotResult | null;
  /** With a half of the classes: the harmonic mean of both halves' accuracies, if the run has a result of the other. */
  readonly harmonicMean: number | null;
}

/** Evaluates a run on a split and writes the result into its folder. Throws InputError for input that does not allow it. */
export async function evaluateRun(request: EvaluationRequest): Promise<EvaluatedRun> {
  const { run } = request;
  await using opened = await openClassifier(run, request);
  const { record } = opened;
  if (record) await requireWritable(join(run, 'results'));
  const { root, ...options } = await datasetOf(request, record);
  const others = otherClasses(request);
  const dataset = await openEvaluated(root, { ...options, classes: opened.classes, ...others }, request.events);
  const classifier = ofClasses(run, opened, dataset.classes);
  using device = await request.openDevice();
  if (!record || !classifier.zeroShot || request.zeroShot === false)
    return await evaluateOn(classifier, device, dataset, record ? run : undefined, request);
  const { templates } = classifier.zeroShot;
  const isOwn = classifier === opened;
  const baseline = zeroShotFolder(run, isOwn ? undefined : `${resultName(dataset)}-${classesHash(classifier.classes)}`);
  const { memory, strict, truncated = record.truncated } = request;
  const { sha256, directory } = record.model;
  const model = { directory: request.model ?? directory, hash: () => Promise.resolve(sha256) };
  const common = await commonRecord({ model, dataset, backend: device.backend, memory, strict, truncated });
  const zeroShot = { learner: 'zero-shot', ...common, templates } as const;
  await startZeroShot(baseline, zeroShot, baseline, 'delete it, or pass --no-zero-shot');
  return await evaluateOn(classifier, device, dataset, run, request, baseline);
}

/** Classifies a split by CLIP without training; with `out`, as a run. */
export async function evaluateZeroShot(request: ZeroShotRequest): Promise<EvaluatedRun> {
  const { templates, out, memory, strict, truncated, events } = request;
  if (out !== undefined) await requireWritable(out);
  const dataset = await openEvaluated(request.data, request.dataset, events);
  imagesOf(dataset, request.split);
  const model = await openModelDirectory(request.model, request.cacheDirectory);
  await using classifier = zeroShotClassifier(model, dataset.classes, templates);
  // A missing vocabulary is known before images are encoded.
  await model.tokenizer();
  using device = await request.openDevice();
  if (out !== undefined) {
    const common = await commonRecord({ model, dataset, backend: device.backend, memory, strict, truncated });
    await startZeroShot(out, { learner: 'zero-shot', ...common, templates });
  }
  return await evaluateOn(classifier, device, dataset, out, request);
}

/** Which classes of the data set are asked for, if not the run's. */
function otherClasses({ classes, dataset }: EvaluationRequest): Pick<DatasetOptions, 'classes' | 'half'> {
  const half = dataset?.half;
  if (classes === undefined && half === undefined) return {};
  return { classes: typeof classes === 'string' ? classes : undefined, half };
}

function classesHash(classes: readonly ClassName[]): string {
  return sha256(JSON.stringify(classes.map(({ folder, word }) => [folder, word]))).slice(0, 8);
}

/** The run as a classifier of these classes. Throws InputError if what it learned fits its own classes only. */
function ofClasses(run: string, opened: Classifier, classes: readonly ClassName[]): Classifier {
  if (classesHash(classes) === classesHash(opened.classes)) return opened;
  if (opened.forClasses) return { ...opened, ...opened.forClasses(classes) };
  throw new InputError(
    `${run}: what it learned is of its own ${opened.classes.length} classes, so it cannot tell others apart; ` +
      'prompts that all classes share can (train --learner coop or cocoop, or --mode is or none)',
  );
}

/** With `baselineFolder`, the classifier's baseline is evaluated on the way, and its result goes there. */
async function evaluateOn(
  classifier: Classifier,
  device: OpenedDevice,
  dataset: Dataset,
  folder: string | undefined,
  request: EvaluationOptions,
  baselineFolder?: string,
): Promise<EvaluatedRun> {
  const { split } = request;
  const { classes, record, epochs } = classifier;
  const scoring = {
    ...{ ...request, engine: new Engine(device.backend), device, classifier },
    truncated: request.truncated ?? record?.truncated,
    baseline: baselineFolder === undefined ? undefined : classifier.zeroShot,
  };
  const images = imagesOf(dataset, split);
  const evaluate = async (add?: AddPredictions, addBaseline?: AddPredictions) => {
    const found = await evaluateInBlocks(scoring, images, classes, add, addBaseline);
    const seen = folder === undefined ? null : await seenBefore(folder, record, dataset, found.read, request);
    return { ...found, seen };
  };
  const of = { dataset, split, classes, device: device.backend.description };
  const evaluateBoth = async (out: string, add: AddPredictions) => {
    const { found, written } = await writeFound(
      out,
      of,
      (addBaseline) => evaluate(add, addBaseline),
      ({ baseline, read }) => ({ ...of, images: read, evaluation: baseline!, epochs: 0 }),
    );
    const [before, after] = [found.baseline!, found.evaluation].map(({ predicted }) =>
      correctness(predicted, found.read.labels),
    );
    const zeroShot = { evaluation: found.baseline!, written, comparison: comparePaired(before!, after!) };
    return { ...found, zeroShot };
  };
  const none = { zeroShot: null };
  const { found, written } =
    folder === undefined
      ? { found: { ...(await evaluate()), ...none }, written: undefined }
      : await writeFound(
          folder,
          of,
          // The baseline's result is there before the run's: while that is being written, both are computed.
          async (add) =>
            baselineFolder ? await evaluateBoth(baselineFolder, add) : { ...(await evaluate(add)), ...none },
          ({ evaluation, seen, read }) => ({ ...of, evaluation, seen, images: read, epochs }),
        );
  const { evaluation, seen, read, zeroShot } = found;
  const harmonicMean = written ? await meanOfHalves(folder!, written) : null;
  const notes = { skipped: read.skipped, truncated: read.truncated };
  return { classes, evaluation, seen, ...notes, written, zeroShot, harmonicMean };
}

/** The harmonic mean of a result's accuracy and that of the other half's classes, after as many epochs; null if there is none. */
async function meanOfHalves(run: string, { path }: WrittenResult): Promise<number | null> {
  const result = await readResult(path);
  if (!result.origin?.half) return null;
  const without = ({ origin, data, split, epochs }: ResultFile) =>
    JSON.stringify([{ ...origin, half: undefined }, data, split, epochs]);
  for (const other of await Promise.all((await listResults(run)).map(readResult))) {
    const half = other.origin?.half;
    if (half === undefined || half === result.origin.half || without(other) !== without(result)) continue;
    const sum = result.accuracy + other.accuracy;
    return sum === 0 ? 0 : (2 * result.accuracy * other.accuracy) / sum;
  }
  return null;
}

/** Writes a result, and returns also what it was made from. */
async function writeFound<T>(
  folder: string,
  of: Pick<ScoredSplit, 'dataset' | 'split' | 'classes'>,
  find: (add: AddPredictions) => Promise<T>,
  scored: (found: T) => ScoredSplit,
): Promise<{ found: T; written: WrittenResult }> {
  const all: T[] = [];
  const written = await writeResultInBlocks(folder, of, async (add) => {
    const found = await find(add);
    all.push(found);
    return scored(found);
  });
  return { found: all[0]!, written };
}

async function openEvaluated(root: string, options: DatasetOptions = {}, events: Events = SILENT): Promise<Dataset> {
  const dataset = await openDataset(root, options);
  for (const line of describeDataset(dataset)) events.say(line);
  return dataset;
}

/** The run's data set, unless the request names another. */
async function datasetOf({ run, data, dataset }: EvaluationRequest, record: RunRecord | null) {
  if (record) return await datasetOfRun(record, { root: data, ...dataset });
  if (data === undefined) throw new InputError(`${run}: no data set recorded; pass --data <path>`);
  return { root: data, ...dataset };
}

/** Where and how to open a data set. */
interface ChosenDataset extends Omit<DatasetOptions, 'classes'> {
  readonly root?: string | undefined;
}

/** The data set of a run, with what is chosen instead. Throws InputError if it is no longer where the run found it. */
export async function datasetOfRun(
  { data, dataset }: RunRecord,
  chosen: ChosenDataset,
): Promise<ChosenDataset & { root: string }> {
  const { setting, origin } = dataset;
  const root = chosen.root ?? data;
  if (chosen.root === undefined && !(await exists(root)))
    throw new InputError(`${root}: not found, the data set of the run; if it has moved, pass --data <path>`);
  // Folders and manifests are recognised by their files; another copy of a named data set has the same name.
  const same = chosen.setting === undefined && (chosen.root === undefined || namedSetting(setting) !== undefined);
  if (!same && chosen.setting !== setting) return { ...chosen, root };
  return {
    root,
    setting,
    fold: chosen.fold ?? ('fold' in origin ? origin.fold : undefined),
    seed: chosen.seed ?? ('seed' in origin ? origin.seed : undefined),
    half: chosen.half ?? origin.half,
    shots: chosen.shots ?? origin.shots,
    views: chosen.views ?? origin.views,
  };
}

/** Compares the images with those of the run, and warns about the ones that it was trained on, or refuses them if `strict`. */
async function seenBefore(
  run: string,
  record: RunRecord | null,
  { origin }: Dataset,
  images: Pick<EncodedSplit, 'hashes' | 'paths'>,
  { split, strict, events = SILENT }: EvaluationOptions,
): Promise<SeenImages | null> {
  const own = split === 'train' || !record ? undefined : await readRunImages(run);
  if (!own || !record) return null;
  const seen = seenImages(own, images, split);
  const of = `of ${counted(images.paths.length, `${split} image`)}`;
  const parts = [
    ...(seen.train > 0 ? [`${seen.train} ${of} were trained on`] : []),
    ...(seen.val > 0 ? [`${seen.val} ${of} are validation images of the run`] : []),
  ];
  if (parts.length === 0) return seen;
  const [before, now] = [record.dataset.origin, origin].map(describeOrigin);
  const why = before === now ? '' : `; the run has the ${before}, this is the ${now}`;
  const found = `${run}: ${parts.join(', ')} (first ${seen.first}), so the result is not one on unseen images${why}`;
  if (strict) throw new InputError(`${found}; without --strict that is a warning`);
  events.say(`warning: ${found}`);
  return seen;
}

/** Makes the folder of a zero-shot run, or finds the same run in it. Throws InputError with the way out if it has another one. */
export async function startZeroShot(
  out: string,
  record: ZeroShotRecord,
  place = `--out ${resolve(out)}`,
  wayOut = 'choose another folder',
): Promise<void> {
  const before = await readRunRecord(out).catch((error: unknown) => {
    if (error instanceof InputError) return undefined;
    throw error;
  });
  if (!before) {
    await createDirectoryAtomically(out, async (folder) => {
      await writeFileAtomically(join(folder, 'run.json'), recordJson(record));
    });
    return;
  }
  const asked = ({ learner, templates, classes, model }: ZeroShotRecord) =>
    JSON.stringify([learner, templates, classes, model.sha256]);
  if (before.learner !== 'zero-shot' || asked(before) !== asked(record))
    throw new InputError(
      `${place}: it holds a run of learner ${before.learner} with other texts, classes or model; ${wayOut}`,
    );
  await makeFolder(out);
}
