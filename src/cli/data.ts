/** `ptdpc data`: what a folder holds as a data set, before anything is computed. */
import type { Command } from 'commander';
import type { TruncatedImages } from '../clip/image/index.js';
import { counted, InputError } from '../errors.js';
import type { DeviceChoice } from '../kernels/device-choice.js';
import type { DecodedImages, DuplicateImage } from '../node/datasets.js';
import type { NearDuplicates } from '../node/near-duplicates.js';
import { describeOrigin, SPLITS } from '../ptdpc/datasets/dataset.js';
import { namedSetting } from '../ptdpc/datasets/settings.js';
import type { DatasetCheck, Tally } from '../ptdpc/index.js';
import { addChoiceOptions, classesOption, type DataOptions } from './dataset.js';
import { imageJob } from './device.js';
import {
  addCacheOptions,
  addExamples,
  type CacheOptions,
  deviceOption,
  jsonOption,
  memoryOption,
  parseSimilarity,
  truncatedOption,
} from './options.js';
import { firstLines, print, printJson, say } from './output.js';
import { progress } from './progress.js';
import { table } from './tables.js';

interface CheckOptions extends Omit<DataOptions, 'data'>, CacheOptions {
  classes?: string;
  decode?: boolean;
  truncated?: TruncatedImages;
  duplicates?: boolean;
  model?: string;
  similarity: number;
  device: DeviceChoice;
  memory: number;
  json?: boolean;
}

const EXAMPLES = [
  ['ptdpc data fi --dataset fi8', 'classes, counts beside the published ones, what is left out'],
  ['ptdpc data twitter1 --dataset twitter1 --fold 2', 'the second of five folds'],
  ['ptdpc data fi --dataset fi8 --decode --json', 'decode every image too; for a program'],
  ['ptdpc data fi --dataset fi8 --duplicates', 'images that occur in two splits'],
  ['ptdpc data fi --dataset fi8 --duplicates --model clip-vit-b32', 'and those that nearly do'],
] as const;

export function configure(command: Command): void {
  command
    .description(
      'Show a folder as a data set: its name and layout, classes with their words, images per class and split beside the published counts, ' +
        'the origin of the split, and which files are left out and why. A difference from the published counts is a warning, not a failure.',
    )
    .argument('<dir>', 'folder of the data set, or a .csv or .json manifest of images')
    .addOption(classesOption())
    .option('--decode', 'decode every image and list the unreadable ones')
    .addOption(truncatedOption())
    .option('--duplicates', 'list images that occur in two splits or two classes, compared by content')
    .option(
      '--model <dir>',
      'with --duplicates: also images that nearly repeat one of another split, by the features of this CLIP',
    )
    .option('--similarity <x>', 'with --model: least cosine of such a pair', parseSimilarity, 0.95)
    .addOption(deviceOption())
    .addOption(memoryOption());
  addCacheOptions(command).addOption(jsonOption());
  addChoiceOptions(command).action(check);
  addExamples(command, EXAMPLES);
}

/** Each class without images is one; more are counted. */
const MOST_WARNINGS = 20;

async function check(dir: string, options: CheckOptions): Promise<void> {
  const { checkDataset } = await import('../node/datasets.js');
  const { dataset, fold, splitSeed, classes, model } = options;
  if (model !== undefined && !options.duplicates) throw new InputError('--model: only with --duplicates');
  const found = await checkDataset(dir, { setting: dataset, fold, seed: splitSeed, classes });
  const decoded = options.decode ? await decodeAll(found, options.truncated) : undefined;
  const duplicates = options.duplicates ? await compareAll(found) : undefined;
  const near = model === undefined ? undefined : await compareFeatures(found, model, options);
  if (options.json) return printJson(checkJson(found, dataset !== undefined, { decoded, duplicates, near }));
  for (const line of await checkLines(found, dataset !== undefined)) print(line);
  if (decoded) for (const line of decodedLines(found, decoded)) print(line);
  if (duplicates) for (const line of await duplicateLines(duplicates)) print(line);
  if (near) for (const line of nearLines(near, options.similarity)) print(line);
  for (const warning of found.warnings.slice(0, MOST_WARNINGS)) say(`warning: ${warning}`);
  const more = found.warnings.length - MOST_WARNINGS;
  if (more > 0) say(`warning: and ${number(more)} more (--json lists them)`);
}

async function decodeAll({ dataset }: DatasetCheck, truncated?: TruncatedImages): Promise<DecodedImages> {
  const { decodeImages } = await import('../node/datasets.js');
  const paths = SPLITS.flatMap((split) => dataset.splits[split] ?? []).map(({ path }) => path);
  say(`decoding ${counted(paths.length, 'image')}`);
  using bar = progress(paths.length, 'decoding', 'images');
  return await decodeImages(paths, truncated, () => bar.tick(1));
}

async function compareAll({ dataset, all }: DatasetCheck): Promise<DuplicateImage[]> {
  const { duplicateImages } = await import('../node/datasets.js');
  say(`comparing ${counted(all.total, 'image')}`);
  using bar = progress(all.total, 'comparing', 'images');
  return await duplicateImages(dataset, () => bar.tick(1));
}

async function compareFeatures(
  { dataset }: DatasetCheck,
  model: string,
  options: CheckOptions,
): Promise<NearDuplicates> {
  const { nearDuplicates } = await import('../node/near-duplicates.js');
  return await nearDuplicates({ ...imageJob(options), dataset, model, similarity: options.similarity });
}

/** What only some options ask for. */
interface Found {
  readonly decoded: DecodedImages | undefined;
  readonly duplicates: readonly DuplicateImage[] | undefined;
  readonly near: NearDuplicates | undefined;
}

function checkJson(found: DatasetCheck, given: boolean, { decoded, duplicates, near }: Found) {
  const { dataset, layout, pattern, classes, all, expected, leftOut, warnings } = found;
  return {
    root: dataset.root,
    dataset: dataset.setting,
    recognised: !given,
    layout: { name: layout, pattern },
    split: dataset.origin,
    classes,
    all,
    published: expected,
    leftOut,
    warnings,
    // Null if not decoded.
    unreadable: decoded?.unreadable ?? null,
    truncated: decoded?.truncated ?? null,
    duplicates: duplicates ?? null,
    // Null without --model.
    nearDuplicates: near?.pairs ?? null,
  };
}

const number = (value: number | null | undefined) => value?.toLocaleString('en-US') ?? '-';

async function checkLines(found: DatasetCheck, given: boolean): Promise<string[]> {
  const { LEFT_OUT_REASONS } = await import('../ptdpc/datasets/index.js');
  const { dataset, pattern, classes, all, leftOut } = found;
  const { setting, root } = dataset;
  const label = namedSetting(setting)?.label;
  return [
    `${root}: ${setting}${label === undefined ? '' : ` (${label})`}${given ? '' : ', by its files'}`,
    `layout: ${pattern}`,
    describeOrigin(dataset.origin) + ('seed' in dataset.origin ? ', since its files give none (--split-seed)' : ''),
    `${counted(all.total, 'image')} of ${classes.length} classes`,
    '',
    ...countTable(found),
    ...(found.expected ? [`published: ${number(found.expected.total)} images (${found.expected.source})`] : []),
    ...(leftOut.length === 0 ? [] : ['', 'left out:']),
    ...leftOut.map(({ reason, count, first }) => {
      const more = count > first.length ? ', ...' : '';
      return `  ${number(count)} ${LEFT_OUT_REASONS[reason]}: ${first.join(', ')}${more}`;
    }),
  ];
}

/** A row for each class; the published counts if some are known. */
function countTable({ classes, all, expected }: DatasetCheck): string[] {
  const splits = SPLITS.filter((split) => all.splits[split] !== undefined || expected?.splits?.[split] !== undefined);
  const renamed = classes.some(({ folder, names }) => names.some((name) => name !== folder));
  const published = [...classes, all].some((one) => one.published !== null);
  const row = (first: readonly string[], tally: Tally) => [
    ...first,
    ...splits.map((split) => number(tally.splits[split])),
    number(tally.total),
    ...(published ? [number(tally.published)] : []),
  ];
  const rows = [
    ['class', 'word', ...(renamed ? ['in the data set'] : []), ...splits, 'all', ...(published ? ['published'] : [])],
    ...classes.map((one) => row([one.folder, one.word, ...(renamed ? [one.names.join(', ') || '-'] : [])], one)),
    row(['all', '', ...(renamed ? [''] : [])], all),
  ];
  if (published && expected?.splits && all.published !== null) {
    const counts = splits.map((split) => number(expected.splits?.[split]));
    rows.push(['published', '', ...(renamed ? [''] : []), ...counts, '', number(expected.total)]);
  }
  return table(rows, renamed ? 3 : 2).split('\n');
}

function decodedLines({ all }: DatasetCheck, { unreadable, truncated }: DecodedImages): string[] {
  const found = unreadable.length === 0 ? 'every one can be read' : `${number(unreadable.length)} cannot be read:`;
  return [
    ...['', `${counted(all.total, 'image')} decoded, ${found}`, ...firstLines(unreadable.map(({ reason }) => reason))],
    ...(truncated.length === 0 ? [] : [`cut short, and read as far as they go: ${number(truncated.length)}`]),
    ...firstLines(truncated),
  ];
}

/** Those that make results wrong, one per line; the others are counted. */
async function duplicateLines(duplicates: readonly DuplicateImage[]): Promise<string[]> {
  const { isHarmful } = await import('../node/datasets.js');
  const harmful = duplicates.filter(isHarmful);
  const lines = harmful.map(
    ({ places }) => `  ${places.map(({ path, split, class: name }) => `${path} (${split}, ${name})`).join(' = ')}`,
  );
  const found =
    harmful.length === 0
      ? 'none stands in two splits or has two classes'
      : `in two splits or of two classes: ${number(harmful.length)}`;
  const rest = duplicates.length - harmful.length;
  const others = rest === 0 ? '' : `; repeated within one class of a split: ${number(rest)}`;
  return ['', `images compared by content: ${found}${others}`, ...lines];
}

/** The images of each two splits counted, and the most similar ones. */
function nearLines({ pairs, count, skipped }: NearDuplicates, similarity: number): string[] {
  const title = `images compared by features: ${number(count)}${skipped.length > 0 ? `; unreadable: ${number(skipped.length)}` : ''}`;
  const between = new Map<string, number>();
  for (const { split, of } of pairs) {
    const key = `${split} with ${of.split}`;
    between.set(key, (between.get(key) ?? 0) + 1);
  }
  const counts = [...between].map(([key, images]) => `${number(images)} of ${key}`).join(', ') || 'none';
  const listed = pairs.map(
    ({ path, split, of, similarity, ...image }) =>
      `${similarity.toFixed(4)} ${path} (${split}, ${image.class}) ~ ${of.path} (${of.split}, ${of.class})`,
  );
  return [
    '',
    title,
    `nearly repeated in another split (cosine from ${similarity} on): ${counts}`,
    ...firstLines(listed),
  ];
}
