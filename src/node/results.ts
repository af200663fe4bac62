/**
 * Results of evaluations in the folder of a run or a probe, one for each data set and split:
 *
 *     results/<data set>-<split>.json    the metrics, and what was evaluated (docs/evaluation.md)
 *     results/<data set>-<split>.csv     the prediction of every image, by its path relative to the folder of the data set
 *
 * A result is only replaced by one on the same images; other images with the same name get a different file name.
 */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import * as v from 'valibot';
import { InputError } from '../errors.js';
import {
  type CalibrationBin,
  type ClassName,
  classesWithoutImages,
  type Dataset,
  type Evaluation,
  namedSetting,
  predictionLines,
  rowShares,
  type Split,
  type SplitOrigin,
  splitOriginSchema,
  wilsonInterval,
} from '../ptdpc/index.js';
import { finite, fromOne, isSquare, jsonText, parseJsonAs, share, text, whole } from '../ptdpc/parse-json.js';
import { writeFileAtomically } from './atomic.js';
import { exists, MAX_DATA_BYTES, readText } from './checkpoint-files.js';
import type { EncodedSplit } from './encode-splits.js';
import type { SkippedImage } from './image-files.js';
import { waitForLock } from './lock.js';
import { makeFolder } from './make-folder.js';
import { requireTrustedFolder } from './own-files.js';
import { packageVersion } from './package.js';
import { contentHash, dataFolder, pathInData, type SeenImages, skippedInData } from './run-images.js';
import { errorCode, explained, naming } from './system-error.js';

const FOLDER = 'results';

/** An evaluation to be written down. */
export interface EvaluatedSplit {
  readonly dataset: Pick<Dataset, 'root' | 'setting' | 'origin'>;
  readonly split: Split;
  readonly classes: readonly ClassName[];
  readonly images: EncodedSplit;
  readonly evaluation: Evaluation;
  /** Where a run's own images were compared with these. */
  readonly seen?: SeenImages | null | undefined;
  /** After how many epochs the prompts or the probe were evaluated. */
  readonly epochs: number;
  /** Duration of training and evaluation, if it was measured. */
  readonly seconds?: number | undefined;
  /** The device's description. */
  readonly device: string;
}

/** What became of a result: where it is, and whether it was there already or is one of the same images after other epochs or the like. */
export interface WrittenResult {
  readonly path: string;
  readonly before: 'none' | 'same' | 'replaced';
}

/** The words of the classes that no image is of. */
export function absentWords(classes: readonly ClassName[], { confusion }: Evaluation): string[] {
  return classesWithoutImages(confusion).map((c) => classes[c]!.word);
}

/** The metrics of an evaluation for programs; docs/evaluation.md explains each key. */
export function evaluationJson(classes: readonly ClassName[], evaluation: Evaluation) {
  const { count, accuracy, loss, confusion, perClass, macroF1, calibration, calibrationError } = evaluation;
  return {
    count,
    accuracy,
    accuracyInterval: wilsonInterval(accuracy, count),
    loss,
    macroF1,
    calibrationError,
    classesWithoutImages: absentWords(classes, evaluation),
    classes: classes.map(({ word }) => word),
    perClassAccuracy: perClass,
    perClassPrecision: evaluation.classes.map(({ precision }) => precision),
    perClassRecall: evaluation.classes.map(({ recall }) => recall),
    perClassF1: evaluation.classes.map(({ f1 }) => f1),
    confusion,
    confusionShares: rowShares(confusion),
    calibration,
  };
}

/** A prediction with all probabilities. */
export interface ConfidentPrediction {
  /** Relative to the folder of the data set. */
  path: string;
  actual: string;
  predicted: string;
  /** Of the predicted class. */
  probability: number;
  /** In the order of the classes. */
  probabilities: number[];
}

/** The right and the wrong prediction with the highest probability; null if there is none. */
interface MostConfident {
  right: ConfidentPrediction | null;
  wrong: ConfidentPrediction | null;
}

/** The contents of a result's JSON file, see docs/evaluation.md. What earlier versions did not write is null or empty. */
export interface ResultFile {
  dataset: string;
  setting: string | null;
  origin: SplitOrigin | null;
  /** Folder that the paths of the images are relative to. */
  data: string;
  split: string;
  /** `contentHash` of the images. */
  imagesSha256: string;
  /** Of the file of predictions. */
  predictionsSha256: string;
  device: string;
  epochs: number;
  seconds: number | null;
  seen: Pick<SeenImages, 'train' | 'val'> | null;
  classes: string[];
  count: number;
  accuracy: number;
  loss: number;
  macroF1: number;
  calibrationError: number;
  calibration: CalibrationBin[];
  perClassAccuracy: (number | null)[];
  confusion: number[][];
  mostConfident: MostConfident;
  skipped: SkippedImage[];
  truncated: string[];
}

const confidentPrediction = v.object({
  path: text,
  actual: text,
  predicted: text,
  probability: share,
  probabilities: v.array(share),
});

const resultSchema: v.GenericSchema<unknown, ResultFile> = v.pipe(
  v.object({
    dataset: text,
    setting: v.optional(v.nullable(text), null),
    origin: v.optional(v.nullable(splitOriginSchema), null),
    data: text,
    split: text,
    imagesSha256: text,
    predictionsSha256: text,
    device: text,
    epochs: whole,
    seconds: v.optional(v.nullable(finite), null),
    seen: v.optional(v.nullable(v.object({ train: whole, val: whole })), null),
    classes: v.pipe(v.array(text), v.minLength(1)),
    count: fromOne,
    accuracy: share,
    loss: finite,
    macroF1: share,
    calibrationError: finite,
    calibration: v.array(v.object({ count: fromOne, confidence: share, accuracy: share })),
    perClassAccuracy: v.array(v.nullable(share)),
    confusion: v.array(v.array(whole)),
    mostConfident: v.optional(
      v.object({ right: v.nullable(confidentPrediction), wrong: v.nullable(confidentPrediction) }),
      { right: null, wrong: null },
    ),
    skipped: v.optional(v.array(v.object({ path: text, reason: text })), []),
    truncated: v.optional(v.array(text), []),
  }),
  v.check(({ classes, confusion }) => isSquare(confusion, classes.length)),
  v.check(({ classes, perClassAccuracy }) => perClassAccuracy.length === classes.length),
  v.check(({ classes, mostConfident: { right, wrong } }) =>
    [right, wrong].every((one) => one === null || one.probabilities.length === classes.length),
  ),
);

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
  const { dataset, split, classes, images, evaluation, seen = null, epochs, seconds = null, device } = evaluated;
  const { root, setting, origin } = dataset;
  const folder = join(run, FOLDER);
  await naming(folder, 'cannot be created', () => makeFolder(folder));
  await requireTrustedFolder(folder);
  const paths = images.paths.map((path) => pathInData(root, path));
  const words = classes.map(({ word }) => word);
  const csv = predictionLines(words, { paths, labels: images.labels }, evaluation);
  const name = resultName(dataset);
  const imagesSha256 = contentHash(images);
  const predictionsSha256 = hashOf(csv);
  const json = {
    ...{ dataset: name, setting, origin, data: dataFolder(root), split, seen, imagesSha256 },
    ...{ program: packageVersion(), device, epochs, seconds, predictionsSha256 },
    ...evaluationJson(classes, evaluation),
    mostConfident: mostConfident(words, { paths, labels: images.labels }, evaluation),
    skipped: images.skipped.map((image) => skippedInData(root, image)),
    truncated: images.truncated.map((path) => pathInData(root, path)),
  };
  await using _lock = await waitForLock(join(folder, '.lock'), { what: folder });
  for (const stem of [`${name}-${split}`, `${name}-${imagesSha256.slice(0, 8)}-${split}`]) {
    const path = join(folder, `${stem}.json`);
    const before = (await exists(path)) ? await readResult(path) : undefined;
    if (before && before.imagesSha256 !== imagesSha256) continue;
    const table = predictionsPath(path);
    const isSame = before?.epochs === epochs && before.predictionsSha256 === predictionsSha256;
    if (isSame && (await exists(table))) return { path, before: 'same' };
    await writeFileAtomically(table, csv);
    await writeFileAtomically(path, `${jsonText(json)}\n`);
    return { path, before: before ? 'replaced' : 'none' };
  }
  throw new InputError(`${folder}: two results of other images have the name ${name}-${split}; delete one`);
}

/** Of predictions of equal probability, the first. */
function mostConfident(
  words: readonly string[],
  images: { paths: readonly string[]; labels: Int32Array },
  { predicted, probabilities }: Evaluation,
): MostConfident {
  const found: MostConfident = { right: null, wrong: null };
  images.paths.forEach((path, i) => {
    const label = images.labels[i]!;
    const guess = predicted[i]!;
    const kind = guess === label ? 'right' : 'wrong';
    const row = Array.from(probabilities.subarray(i * words.length, (i + 1) * words.length));
    const probability = row[guess]!;
    if (probability <= (found[kind]?.probability ?? 0)) return;
    found[kind] = { path, actual: words[label]!, predicted: words[guess]!, probability, probabilities: row };
  });
  return found;
}

function hashOf(lines: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(line);
  return hash.digest('hex');
}

/**
 * What a data set is called in the names of its results: its setting, or the name of its folder or manifest; with the fold and the seed of
 * the split if they are not the first ones.
 */
export function resultName({ root, setting, origin }: EvaluatedSplit['dataset']): string {
  const folder = dataFolder(root);
  const manifest = folder === resolve(root) ? undefined : basename(root).replace(/\.[^.]*$/, '');
  const given = manifest === undefined || manifest.toLowerCase() === 'manifest' ? basename(folder) : manifest;
  const plain = [...given.replace(/[^\p{L}\p{M}\p{N}._-]+/gu, '-').replace(/^[.-]+/, '')].slice(0, 40).join('');
  const fold = 'fold' in origin && origin.fold > 1 ? `-fold${origin.fold}` : '';
  const seed = 'seed' in origin && origin.seed > 0 ? `-seed${origin.seed}` : '';
  return `${namedSetting(setting) ? setting : plain || 'data'}${fold}${seed}`;
}
