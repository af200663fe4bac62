/** The layouts of EmotionROI, EmoSet, ArtPhoto, Abstract, and Emotion6, Flickr_LDL and Twitter_LDL with their votes, as published. */
import { quoted } from '../../clip/checkpoint/quoted.js';
import { IMAGE_NAME, imageNameInLine } from '../../clip/image/formats.js';
import { InputError } from '../../errors.js';
import { type DataFolder, foldersIn, imagesIn, joined, nameLike, readJson } from './data-folder.js';
import { SPLITS, type Split } from './dataset.js';
import { lostWarnings } from './folders.js';
import {
  byCodeUnit,
  type ImageList,
  type Listed,
  type ListedImage,
  listOf,
  type Omitted,
  pathInside,
} from './listed-images.js';
import { SETTINGS } from './settings.js';
import { votesOf, winnerOf } from './votes.js';

/** What EmotionROI's lists are in. */
export const ROI_SPLIT_FOLDER = 'training_testing_split';
const ROI_LISTS = { train: 'training.txt', test: 'testing.txt' } as const;

/** EmotionROI: lines `anger/1.jpg` in `training_testing_split/{training,testing}.txt`, images in `images/<class>/`. */
export async function readRoiLists(data: DataFolder): Promise<ImageList | undefined> {
  const own = nameLike(await foldersIn(data, ''), ROI_SPLIT_FOLDER);
  if (own === undefined) return undefined;
  const listed: Listed[] = [];
  for (const [split, file] of Object.entries(ROI_LISTS) as [Split, string][]) {
    const list = joined(own, file);
    const source = data.place(list);
    const lines = (await data.text(list)).split(/\r?\n/);
    lines.forEach((line, i) => {
      if (line.trim() === '') return;
      const where = `${source}: line ${i + 1}`;
      const file = imageNameInLine(line);
      const parts =
        file === undefined
          ? []
          : pathInside(file, where)
              .replace(/^images\//, '')
              .split('/');
      const [name, ...rest] = parts;
      if (name === undefined || rest.length === 0)
        throw new InputError(`${where}: expected <class>/<image>.jpg, found ${quoted(line)}`);
      listed.push({ path: `images/${parts.join('/')}`, name, split, where });
    });
  }
  return listOf(data, listed, data.place(own));
}

/**
 * EmoSet: `{train,val,test}.json`, each an array of arrays: the class, then among others the path of the image. (Its README shows
 * four elements, [class, id, image, annotation]; copies with three, without the id, are passed on.) The labels of its `info.json` are checked
 * against ours.
 */
export async function readEmoset(data: DataFolder): Promise<ImageList | undefined> {
  if (!(await data.has('info.json')) || !(await data.has('train.json'))) return undefined;
  const listed: Listed[] = [];
  for (const split of SPLITS) {
    const list = `${split}.json`;
    if (split !== 'train' && !(await data.has(list))) continue;
    const source = data.place(list);
    const entries = await readJson(data, list);
    if (!Array.isArray(entries)) throw new InputError(`${source}: expected an array, found ${quoted(entries)}`);
    entries.forEach((entry: unknown, i) => {
      const where = `${source}: entry ${i + 1}`;
      const parts: unknown[] = Array.isArray(entry) ? entry : [];
      const [name] = parts;
      const image = parts.find((part) => typeof part === 'string' && IMAGE_NAME.test(part));
      if (typeof name !== 'string' || typeof image !== 'string')
        throw new InputError(`${where}: expected [class, ..., image, ...], found ${quoted(entry)}`);
      listed.push({ path: pathInside(image, where), name, split, where });
    });
  }
  const found = await listOf(data, listed, data.name);
  return { ...found, warnings: [...found.warnings, ...(await emosetLabelWarnings(data))] };
}

/** `info.json` has the label of each class at `emotion.label2idx`; a copy that has others, or none, is told so. */
async function emosetLabelWarnings(data: DataFolder): Promise<string[]> {
  const source = data.place('info.json');
  const labels = member(member(await readJson(data, 'info.json'), 'emotion'), 'label2idx');
  const ours = `labels are those of the published one: ${SETTINGS.emoset8.classes.map(({ word }) => word).join(', ')}`;
  if (typeof labels !== 'object' || labels === null) return [`${source}: no emotion.label2idx; ${ours}`];
  const differs = SETTINGS.emoset8.classes.flatMap(({ word }, label) => {
    const theirs = member(labels, word);
    return theirs === label ? [] : [`${word} ${theirs === undefined ? 'none' : quoted(theirs)}`];
  });
  return differs.length === 0 ? [] : [`${source}: emotion.label2idx has ${differs.join(', ')}; ${ours}`];
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** ArtPhoto: `<class>_NNNN.jpg`, all in one folder. */
export async function readFileNames(data: DataFolder): Promise<ImageList | undefined> {
  const lost: string[] = [];
  const files = await imagesIn(data, '', lost);
  const images = files.flatMap((path): ListedImage[] => {
    const [, name] = /^([a-z]+)_\d+\.[a-z]+$/i.exec(path) ?? [];
    return name === undefined ? [] : [{ path, name, split: undefined }];
  });
  if (images.length === 0) return undefined;
  const names = [...new Set(images.map(({ name }) => name))].sort(byCodeUnit);
  const odd = files.length - images.length;
  const warnings = lostWarnings(lost);
  if (odd > 0)
    warnings.push(`${data.name}: images whose names are not <class>_NNNN are left out (${odd} of ${files.length})`);
  return { images, names, classNames: names, origin: undefined, warnings };
}

const VOTES_FILE = 'ABSTRACT_groundTruth.csv';

/** Abstract: a line for each painting, a column of votes for each class. Paintings without one class that has most are left out. */
export async function readVotes(data: DataFolder): Promise<ImageList | undefined> {
  if (!(await data.has(VOTES_FILE))) return undefined;
  const source = data.place(VOTES_FILE);
  const [header = [], ...lines] = await data.csv(VOTES_FILE, "'");
  const names = header.slice(1);
  const listed: Listed[] = [];
  const ties: Omitted[] = [];
  lines.forEach(([file = '', ...cells], i) => {
    const where = `${source}: line ${i + 2}`;
    const votes = cells.map(Number);
    if (votes.length !== names.length || !votes.every((count) => count >= 0))
      throw new InputError(`${where}: expected ${names.length} numbers of votes, found ${quoted(cells.join())}`);
    const most = Math.max(...votes);
    const winner = votes.indexOf(most);
    const path = pathInside(file, where);
    if (winner !== votes.lastIndexOf(most)) ties.push({ path, why: 'no-majority' });
    else listed.push({ path, name: names[winner]!, split: undefined, where });
  });
  const found = await listOf(data, listed, source);
  if (ties.length === 0) return found;
  const left = `${source}: ${ties.length} of ${lines.length} paintings have no single class with most votes, so they are left out`;
  return { ...found, warnings: [...found.warnings, left], omitted: [...(found.omitted ?? []), ...ties] };
}

const GROUND_TRUTH = 'ground_truth.txt';
/** Copies that are passed on with a split of their own. */
const SPLIT_GROUND_TRUTH = { train: 'train_ground_truth.txt', test: 'test_ground_truth.txt' } as const;
export const GROUND_TRUTH_LISTS = [GROUND_TRUTH, ...Object.values(SPLIT_GROUND_TRUTH)];

/**
 * Emotion6, Flickr_LDL and Twitter_LDL: `ground_truth.txt` with a line for each image in `images/`: its path, then a column of votes or
 * probabilities for each class. Emotion6's header has names in brackets, `[image_filename] [valence] [arousal] [prob. anger] ...`, whose
 * valence and arousal are passed over; that of the others reads `images-name Amusement Awe ...`.
 */
export async function readGroundTruth(data: DataFolder): Promise<ImageList | undefined> {
  const listed: Listed[] = [];
  const unvoted: Omitted[] = [];
  const read = async (file: string, split: Split | undefined) => {
    const source = data.place(file);
    const [header = '', ...lines] = (await data.text(file)).split(/\r?\n/);
    const [, ...columns] = (header.match(/\[[^\]]*\]|\S+/g) ?? []).map(columnName);
    if (columns.filter((name) => name !== undefined).length < 2)
      throw new InputError(`${source}: expected a header with a column for each class, found ${quoted(header)}`);
    const names = columns.filter((name) => name !== undefined);
    lines.forEach((line, i) => {
      if (line.trim() === '') return;
      const where = `${source}: line ${i + 2}`;
      // A path may have spaces, numbers have none.
      const [, image = '', rest = ''] = new RegExp(`^\\s*(.+?)((?:\\s+\\S+){${columns.length}})\\s*$`).exec(line) ?? [];
      if (image === '')
        throw new InputError(`${where}: expected an image and ${columns.length} numbers, found ${quoted(line)}`);
      const cells = rest.trim().split(/\s+/);
      const votes = votesOf(
        names,
        cells.filter((_, c) => columns[c] !== undefined),
        where,
      );
      const path = `images/${pathInside(image, where).replace(/^images\//, '')}`;
      if (votes) listed.push({ path, name: winnerOf(votes).name, split, where, votes, isVoted: true });
      else unvoted.push({ path, why: 'no-votes' });
    });
  };
  if (await data.has(GROUND_TRUTH)) await read(GROUND_TRUTH, undefined);
  else if (await data.has(SPLIT_GROUND_TRUTH.train)) {
    for (const split of ['train', 'test'] as const) await read(SPLIT_GROUND_TRUTH[split], split);
  } else return undefined;
  const found = await listOf(data, listed, data.name);
  return { ...found, origin: found.origin && { kind: 'given' }, omitted: [...(found.omitted ?? []), ...unvoted] };
}

/** The class of a column of `ground_truth.txt`; undefined for another column. */
function columnName(cell: string): string | undefined {
  const name = cell.replace(/^\[|\]$/g, '').replace(/^prob\.\s*/i, '');
  return /^(?:image\S*|valence|arousal)$/i.test(name) ? undefined : name.toLowerCase();
}
