/**
 * Results of evaluations in the folder of a run or a probe, one for each data set and split:
 *
 *     results/<data set>-<split>.json    the metrics, and what was evaluated (docs/evaluation.md)
 *     results/<data set>-<split>.csv     the prediction of every image, by its path relative to the folder of the data set
 *
 * A result is only replaced by one on the same images; other images with the same name get a different file name.
 */
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { MOST_IN_MATRIX } from '../ptdpc/confusion.js';
import {
  type ClassName,
  classesWithoutImages,
  type Dataset,
  type Evaluation,
  type EvaluationMetrics,
  namedSetting,
  type PairedComparison,
  type PredictedRows,
  rowShares,
  type Split,
  wilsonInterval,
} from '../ptdpc/index.js';
import { jsonText, parseJsonAs } from '../ptdpc/parse-json.js';
import { createFileNamedLast, writeFileAtomically } from './atomic.js';
import { exists, MAX_DATA_BYTES, readText } from './checkpoint-files.js';
import type { EncodedSplit } from './encode-splits.js';
import { waitForLock } from './lock.js';
import { makeFolder } from './make-folder.js';
import { requireTrustedFolder } from './own-files.js';
import { packageVersion } from './package.js';
import { PredictionTable } from './prediction-table.js';
import { type ResultFile, resultSchema } from './result-file.js';
import { contentHash, dataFolder, pathInData, type SeenImages, skippedInData } from './run-images.js';
import { errorCode, explained, naming } from './system-error.js';

export type { ResultFile } from './result-file.js';

const FOLDER = 'results';

/** 2: pairs in place of the square matrix, which is there too where it is small. Files without a format have the matrix only. */
const FORMAT = 2;

/** An evaluation to be written down, whose predictions have been passed on. */
export interface ScoredSplit {
  readonly dataset: Pick<Dataset, 'root' | 'setting' | 'origin'>;
  readonly split: Split;
  readonly classes: readonly ClassName[];
  readonly images: Omit<EncodedSplit, 'features'>;
  readonly evaluation: EvaluationMetrics;
  /** Where a run's own images were compared with these. */
  readonly seen?: SeenImages | null | undefined;
  /** After how many epochs the prompts or the probe were evaluated. */
  readonly epochs: number;
  /** Duration of training and evaluation, if it was measured. */
  readonly seconds?: number | undefined;
  /** The device's description. */
  readonly device: string;
}

/** An evaluation to be written down, with all its predictions. */
export interface EvaluatedSplit extends ScoredSplit {
  readonly evaluation: Evaluation;
}

/** What became of a result: where it is, and whether it was there already or is one of the same images after other epochs or the like. */
export interface WrittenResult {
  readonly path: string;
  readonly before: 'none' | 'same' | 'replaced';
}

/** The words of the classes that no image is of. */
export function absentWords(
  classes: readonly ClassName[],
  { confusionPairs }: Pick<Evaluation, 'confusionPairs'>,
): string[] {
  return classesWithoutImages(confusionPairs).map((c) => classes[c]!.word);
}

/** The metrics of an evaluation for programs; docs/evaluation.md explains each key. */
export function evaluationJson(classes: readonly ClassName[], evaluation: EvaluationMetrics) {
  const { count, accuracy, loss, confusionPairs, perClass, calibration } = evaluation;
  return {
    count,
    accuracy,
    accuracyInterval: wilsonInterval(accuracy, count),
    loss,
    balancedAccuracy: evaluation.balancedAccuracy,
    macroF1: evaluation.macroF1,
    calibrationError: evaluation.calibrationError,
    distribution: evaluation.distribution,
    meanShares: evaluation.meanShares,
    classesWithoutImages: absentWords(classes, evaluation),
    classes: classes.map(({ word }) => word),
    perClassAccuracy: perClass,
    perClassPrecision: evaluation.classes.map(({ precision }) => precision),
    perClassRecall: evaluation.classes.map(({ recall }) => recall),
    perClassF1: evaluation.classes.map(({ f1 }) => f1),
    confusionPairs: confusionPairs.pairs,
    // A matrix of 10,000 classes has more cells than a string has characters.
    ...(classes.length <= MOST_IN_MATRIX && {
      confusion: evaluation.confusion,
      confusionShares: rowShares(evaluation.confusion),
    }),
    calibration,
  };
}

/** How a run differs from CLIP without training, for programs; docs/evaluation.md explains each key. */
export function comparisonJson({ difference, interval, onlyFirst, onlySecond, pValue }: PairedComparison) {
  return { difference, differenceInterval: interval, onlyZeroShot: onlyFirst, onlyRun: onlySecond, pValue };
}

/** The path of a result's JSON file in a run's folder, unless other images have taken the name. */
export function resultPath(run: string, dataset: EvaluatedSplit['dataset'], split: Split): string {
  return join(run, FOLDER, `${resultName(dataset)}-${split}.json`);
}

/** Reads the JSON file of a result. Throws InputError if it is something else. */
export async function readResult(path: string): Promise<ResultFile> {
  return parseJsonAs(resultSchema, await readText(path, MAX_DATA_BYTES), path, 'the result of an evaluation');
}

/** The paths of a run's results, of their JSON files, sorted. */
export async function listResults(run: string): Promise<string[]> {
  const folder = join(run, FOLDER);
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw new InputError(`${folder}: cannot be listed (${explained(error)})`);
  });
  return names
    .filter((name) => /^[^.].*\.json$/.test(name))
    .map((name) => join(folder, name))
    .sort();
}

/** The predictions that belong to a result. */
export function predictionsPath(result: string): string {
  return result.replace(/\.json$/, '.csv');
}

/** Writes a result below `run`. Throws InputError if it cannot be written, or if a file in its place is not a result. */
export async function writeResult(run: string, evaluated: EvaluatedSplit): Promise<WrittenResult> {
  const { images, evaluation } = evaluated;
  return await writeResultInBlocks(run, evaluated, async (add) => {
    await add(images, evaluation);
    return evaluated;
  });
}

/** Passes on what was predicted for the next images. */
export type AddPredictions = (
  images: Pick<EncodedSplit, 'paths' | 'labels'>,
  predictions: PredictedRows,
) => Promise<void>;

/** The same while the images are predicted: `predict` passes on their rows in order, and at the end gives what is known of all. */
export async function writeResultInBlocks(
  run: string,
  { dataset, classes, split }: Pick<ScoredSplit, 'dataset' | 'classes' | 'split'>,
  predict: (add: AddPredictions) => Promise<ScoredSplit>,
): Promise<WrittenResult> {
  const { root } = dataset;
  const folder = join(run, FOLDER);
  await naming(folder, 'cannot be created', () => makeFolder(folder));
  await requireTrustedFolder(folder);
  const name = resultName(dataset);
  const words = classes.map(({ word }) => word);
  return await createFileNamedLast(join(folder, `${name}-${split}.csv`), async (sink, moveTo) => {
    const table = new PredictionTable(words, sink);
    const evaluated = await predict(async ({ paths, labels }, predictions) => {
      const inData = paths.map((path) => pathInData(root, path));
      await table.add({ paths: inData, labels, ...predictions });
    });
    const { images, epochs } = evaluated;
    const imagesSha256 = contentHash(images);
    const predictionsSha256 = table.hash();
    const json = resultJson(evaluated, { imagesSha256, predictionsSha256, mostConfident: table.mostConfident });
    await using _lock = await waitForLock(join(folder, '.lock'), { what: folder });
    for (const stem of [`${name}-${split}`, `${name}-${imagesSha256.slice(0, 8)}-${split}`]) {
      const path = join(folder, `${stem}.json`);
      const before = (await exists(path)) ? await readResult(path) : undefined;
      if (before && before.imagesSha256 !== imagesSha256) continue;
      const place = predictionsPath(path);
      const isSame = before?.epochs === epochs && before.predictionsSha256 === predictionsSha256;
      if (isSame && (await exists(place))) return { path, before: 'same' };
      await moveTo(place);
      await writeFileAtomically(path, `${jsonText(json)}\n`);
      return { path, before: before ? 'replaced' : 'none' };
    }
    throw new InputError(`${folder}: two results of other images have the name ${name}-${split}; delete one`);
  });
}

function resultJson(evaluated: ScoredSplit, more: object) {
  const { dataset, split, classes, images, evaluation, seen = null, epochs, seconds = null, device } = evaluated;
  const { root, setting, origin } = dataset;
  return {
    format: FORMAT,
    ...{ dataset: resultName(dataset), setting, origin, data: dataFolder(root), split, seen },
    ...{ program: packageVersion(), device, epochs, seconds, ...more },
    ...evaluationJson(classes, evaluation),
    skipped: images.skipped.map((image) => skippedInData(root, image)),
    truncated: images.truncated.map((path) => pathInData(root, path)),
  };
}

/**
 * What a data set is called in the names of its results: its setting, or the name of its folder or manifest; with the fold and the seed of
 * the split if they are not the first ones, and the half of its classes if it is one.
 */
export function resultName({ root, setting, origin }: EvaluatedSplit['dataset']): string {
  const folder = dataFolder(root);
  const manifest = folder === resolve(root) ? undefined : basename(root).replace(/\.[^.]*$/, '');
  const given = manifest === undefined || manifest.toLowerCase() === 'manifest' ? basename(folder) : manifest;
  const plain = [...given.replace(/[^\p{L}\p{M}\p{N}._-]+/gu, '-').replace(/^[.-]+/, '')].slice(0, 40).join('');
  const fold = 'fold' in origin && origin.fold > 1 ? `-fold${origin.fold}` : '';
  const seed = 'seed' in origin && origin.seed > 0 ? `-seed${origin.seed}` : '';
  const half = origin.half === undefined ? '' : `-${origin.half}`;
  return `${namedSetting(setting) ? setting : plain || 'data'}${fold}${seed}${half}`;
}
