/** The layouts of EmotionROI, EmoSet, ArtPhoto and Abstract, as their authors publish them. */
import { join } from 'node:path';
import { IMAGE_NAME, IMAGE_NAME_IN_LINE } from '../../clip/image/formats.js';
import { InputError } from '../../errors.js';
import { SETTINGS, SPLITS, type Split } from '../../ptdpc/datasets/index.js';
import { exists, MAX_DATA_BYTES, readText } from '../checkpoint-files.js';
import { readCsv } from '../csv-file.js';
import { lostWarnings } from './folders.js';
import { byCodeUnit, type Found, type FoundImage, type Omitted, pathInside, quoted } from './found.js';
import { parseJson } from './json-file.js';
import { foundOf, type Listed } from './listed-images.js';
import { foldersIn, imagesIn, nameLike } from './listing.js';

/** What EmotionROI's lists are in. */
export const ROI_SPLIT_FOLDER = 'training_testing_split';
const ROI_LISTS = { train: 'training.txt', test: 'testing.txt' } as const;

/** EmotionROI: lines `anger/1.jpg` in `training_testing_split/{training,testing}.txt`, images in `images/<class>/`. */
export async function readRoiLists(root: string): Promise<Found | undefined> {
  const own = nameLike(await foldersIn(root), ROI_SPLIT_FOLDER);
  if (own === undefined) return undefined;
  const folder = join(root, own);
  const listed: Listed[] = [];
  for (const [split, file] of Object.entries(ROI_LISTS) as [Split, string][]) {
    const source = join(folder, file);
    const lines = (await readText(source, MAX_DATA_BYTES)).split(/\r?\n/);
    lines.forEach((line, i) => {
      if (line.trim() === '') return;
      const where = `${source}: line ${i + 1}`;
      const [, file] = IMAGE_NAME_IN_LINE.exec(line) ?? [];
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
  return foundOf(root, listed, folder);
}

/**
 * EmoSet: `{train,val,test}.json`, each an array of arrays: the class, then among others the path of the image. (Its README shows
 * four elements, [class, id, image, annotation]; copies with three, without the id, are passed on.) The labels of its `info.json` are checked
 * against ours.
 */
export async function readEmoset(root: string): Promise<Found | undefined> {
  if (!(await exists(join(root, 'info.json'))) || !(await exists(join(root, 'train.json')))) return undefined;
  const listed: Listed[] = [];
  for (const split of SPLITS) {
    const source = join(root, `${split}.json`);
    if (split !== 'train' && !(await exists(source))) continue;
    const entries = await parseJson(source);
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
  const found = await foundOf(root, listed, root);
  return { ...found, warnings: [...found.warnings, ...(await emosetLabelWarnings(join(root, 'info.json')))] };
}

/** `info.json` has the label of each class at `emotion.label2idx`; a copy that has others, or none, is told so. */
async function emosetLabelWarnings(source: string): Promise<string[]> {
  const labels = member(member(await parseJson(source), 'emotion'), 'label2idx');
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
export async function readFileNames(root: string): Promise<Found | undefined> {
  const lost: string[] = [];
  const files = await imagesIn(root, lost);
  const images = files.flatMap((path): FoundImage[] => {
    const [, name] = /^([a-z]+)_\d+\.[a-z]+$/i.exec(path) ?? [];
    return name === undefined ? [] : [{ path, name, split: undefined }];
  });
  if (images.length === 0) return undefined;
  const names = [...new Set(images.map(({ name }) => name))].sort(byCodeUnit);
  const odd = files.length - images.length;
  const warnings = lostWarnings(lost);
  if (odd > 0)
    warnings.push(`${root}: images whose names are not <class>_NNNN are left out (${odd} of ${files.length})`);
  return { images, names, classNames: names, origin: undefined, warnings };
}

const VOTES_FILE = 'ABSTRACT_groundTruth.csv';

/** Abstract: a line for each painting, a column of votes for each class. Paintings without one class that has most are left out. */
export async function readVotes(root: string): Promise<Found | undefined> {
  const source = join(root, VOTES_FILE);
  if (!(await exists(source))) return undefined;
  const options = { quote: "'", trim: true, skip_empty_lines: true, relax_column_count: true };
  const [header = [], ...lines] = await readCsv(source, options);
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
  const found = await foundOf(root, listed, source);
  if (ties.length === 0) return found;
  const left = `${source}: ${ties.length} of ${lines.length} paintings have no single class with most votes, so they are left out`;
  return { ...found, warnings: [...found.warnings, left], omitted: [...(found.omitted ?? []), ...ties] };
}
