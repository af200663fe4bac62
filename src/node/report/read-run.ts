/** Reads the contents of a run's folder for its report: metrics, results, predictions, and pictures of the most confident ones. */
import { basename, dirname, join, resolve } from 'node:path';
import { decodeImage, encodeJpeg, preprocess } from '../../clip/image/index.js';
import { InputError } from '../../errors.js';
import { correctness, type EpochMetrics, type StepMetrics } from '../../ptdpc/index.js';
import type { Case, Picture, RunEvaluation, RunReport, ZeroShotEvaluation } from '../../report/index.js';
import { exists } from '../checkpoint-files.js';
import { textLines } from '../csv-file.js';
import { loadImageCodecs } from '../image-codecs.js';
import { readImageFile } from '../image-files.js';
import { isKnownFolder, liesIn } from '../known-folders.js';
import { type Predictions, predictionsOf } from '../read-predictions.js';
import { listResults, predictionsPath, type ResultFile, readResult } from '../results.js';
import { parseMetrics } from '../run-directory.js';
import { dataFolder } from '../run-images.js';
import { type RunRecord, readRunRecord, zeroShotFolders } from '../run-record.js';

/** Where pictures may be taken from. */
export interface PictureOptions {
  /** Folder of the images; default: the one that the results name, if this user's commands have been given it (known-folders.ts). */
  readonly data?: string | undefined;
  /** Called with a line for each folder whose pictures are left out. */
  readonly say?: ((line: string) => void) | undefined;
}

/** What all pages take. */
export interface PageOptions extends PictureOptions {
  /** The command line that the page is written by, which it shows. */
  readonly command?: string | undefined;
}

/** Reads what there is: a run need not have ended, nor been evaluated. Throws InputError naming the file that is damaged. */
export async function readRunReport(run: string, options: PictureOptions = {}): Promise<RunReport> {
  const record = await readRunRecord(run);
  const { program, node, model, data, device } = record;
  const { steps, epochs } = await readMetrics(join(run, 'metrics.jsonl'));
  return {
    name: basename(resolve(run)),
    setup: { program, node, device: device.description, model, data },
    method: record,
    classes: record.classes.map(({ word }) => word),
    learning:
      (record.learner !== 'prompts' && record.learner !== 'images') || epochs.length === 0
        ? null
        : { options: record.options, steps, epochs },
    evaluations: await readEvaluations(run, record, new PictureFolders(options)),
  };
}

/** The metrics of the finished epochs in metrics.jsonl, which are in order; none if it is not there. */
export async function readMetrics(path: string): Promise<{ steps: StepMetrics[]; epochs: EpochMetrics[] }> {
  const steps: StepMetrics[] = [];
  const epochs: EpochMetrics[] = [];
  if (!(await exists(path))) return { steps, epochs };
  let number = 0;
  for await (const line of textLines(path)) {
    // A last line without a line feed is an epoch that was being written when the run was stopped.
    if (!line.endsWith('\n')) break;
    const where = `${path}: line ${++number}`;
    const metrics = parseMetrics(line, where);
    if (metrics.epoch !== epochs.length)
      throw new InputError(`${where}: expected epoch ${epochs.length}, found epoch ${metrics.epoch}`);
    if (metrics.type === 'step') steps.push(metrics);
    else epochs.push(metrics);
  }
  return { steps: steps.filter(({ epoch }) => epoch < epochs.length), epochs };
}

/** One for each data set and split that the run was evaluated on: its own data set first, and the test images before others. */
async function readEvaluations(run: string, record: RunRecord, pictures: PictureFolders): Promise<RunEvaluation[]> {
  const paths = await listResults(run);
  if (paths.length === 0 && (await exists(join(run, 'confusion.json'))))
    throw new InputError(
      `${run}: evaluated by an earlier version, in another format; evaluate it again (npx ptdpc eval)`,
    );
  const own = dataFolder(record.data);
  const found = await Promise.all(paths.map(async (path) => ({ path, result: await readResult(path) })));
  const rank = ({ result: { data, split } }: (typeof found)[number]) =>
    (data === own ? 0 : 10) + ['test', 'val', 'train'].indexOf(split);
  const evaluations: RunEvaluation[] = [];
  const zeroShot = (await Promise.all((await zeroShotFolders(run)).map(readZeroShot))).filter((one) => one !== null);
  for (const { path, result } of found.sort((a, b) => rank(a) - rank(b))) {
    const predictions = await predictionsOf(path, result);
    evaluations.push({
      ...result,
      correct: correctness(predictions.predicted, predictions.labels),
      zeroShot: await zeroShotOf(zeroShot, result, predictions),
      ...(await pickCases(predictions, (image) => pictures.picture(result.data, image))),
    });
  }
  return evaluations;
}

/** What CLIP without training was evaluated on for this run, if it was. */
async function readZeroShot(folder: string) {
  if (!(await exists(join(folder, 'run.json')))) return null;
  const record = await readRunRecord(folder);
  if (record.learner !== 'zero-shot')
    throw new InputError(
      `${folder}: a run of learner ${record.learner}; expected CLIP without training (npx ptdpc eval)`,
    );
  const paths = await listResults(folder);
  const results = await Promise.all(paths.map(async (path) => ({ path, result: await readResult(path) })));
  return { folder, record, results };
}

/** The one of the same images and classes. Throws InputError if it is not of what it says. */
async function zeroShotOf(
  zeroShot: readonly NonNullable<Awaited<ReturnType<typeof readZeroShot>>>[],
  { split, imagesSha256, classes }: ResultFile,
  { labels }: Predictions,
): Promise<ZeroShotEvaluation | null> {
  const all = zeroShot.flatMap(({ record, results }) =>
    results.map((one) => ({ ...one, templates: record.templates })),
  );
  const found = all.find(
    ({ result }) =>
      result.split === split &&
      result.imagesSha256 === imagesSha256 &&
      result.classes.join('\n') === classes.join('\n'),
  );
  if (!found) return null;
  const predictions = await predictionsOf(found.path, found.result);
  if (predictions.labels.length !== labels.length || labels.some((label, i) => label !== predictions.labels[i]))
    throw new InputError(
      `${predictionsPath(found.path)}: its images are not those of the run; evaluate it again (npx ptdpc eval)`,
    );
  return {
    ...found.result,
    templates: found.templates,
    correct: correctness(predictions.predicted, labels),
  };
}

/** Pictures of a kind: enough to see what they have in common, few enough to look at. */
const MOST_CASES = 12;

/** The most confident correct prediction of each class, and the most confident mistakes. `picture` finds an image by its path in the predictions. */
export async function pickCases(
  predictions: Predictions,
  picture: (path: string) => Promise<Picture>,
): Promise<{ right: Case[]; wrong: Case[] }> {
  const { words, labels, predicted, probabilities, ownProbabilities } = predictions;
  const sureness = (i: number) => probabilities[i]!;
  const all = Array.from(labels, (_, i) => i).sort((a, b) => sureness(b) - sureness(a) || a - b);
  const surest = new Map<number, number>();
  for (const i of all) {
    const label = labels[i]!;
    if (predicted[i] === label && !surest.has(label)) surest.set(label, i);
  }
  const right = words.flatMap((_, c) => surest.get(c) ?? []);
  const wrong = all.filter((i) => labels[i] !== predicted[i]);
  const caseOf = async (i: number): Promise<Case> => ({
    ...(await picture(predictions.paths[i]!)),
    actual: words[labels[i]!]!,
    predicted: words[predicted[i]!]!,
    probability: sureness(i),
    actualProbability: ownProbabilities[i]!,
  });
  const both: [Case[], Case[]] = [[], []];
  for (const i of right.slice(0, MOST_CASES)) both[0].push(await caseOf(i));
  for (const i of wrong.slice(0, MOST_CASES)) both[1].push(await caseOf(i));
  return { right: both[0], wrong: both[1] };
}

/** Images by their paths relative to the folder of their data set; none if that leads out of it, or the folder is not the reader's choice. */
export class PictureFolders {
  readonly #may = new Map<string, boolean>();

  constructor(private readonly options: PictureOptions) {}

  async picture(named: string, path: string): Promise<Picture> {
    const { data = named } = this.options;
    const file = resolve(data, path);
    const shown = (await this.#mayShow(named)) && (await liesIn(data, file));
    return {
      url: shown ? await thumbnail(file) : null,
      name: `${basename(dirname(file))}/${basename(file)}`,
      path: file,
    };
  }

  async #mayShow(folder: string): Promise<boolean> {
    const { data, say } = this.options;
    if (data !== undefined) return true;
    const before = this.#may.get(folder);
    if (before !== undefined) return before;
    const known = await isKnownFolder(folder);
    this.#may.set(folder, known);
    if (!known) say?.(`pictures are left out: no command of yours has read ${folder}; --data ${folder} includes them`);
    return known;
  }
}

/** Pixels of a side: a page shows them at about 140, on dense screens with more. */
const SIDE = 176;
const QUALITY = 78;

/** The square that CLIP sees of an image, as a `data:` URL; null if there is no readable image. Smaller images are not enlarged. */
export async function thumbnail(path: string): Promise<string | null> {
  try {
    const bytes = await readImageFile(path);
    loadImageCodecs();
    // What a result is of was read so, or is whole.
    const image = await decodeImage(bytes, path, 'read');
    const side = Math.min(SIDE, image.width, image.height);
    const jpeg = await encodeJpeg(preprocess(image, side), side, side, QUALITY);
    return `data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}`;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
