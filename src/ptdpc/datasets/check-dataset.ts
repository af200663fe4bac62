/** What a folder holds as a data set: what `openDataset` reads, counted, and what it leaves out. */
import { IMAGE_EXTENSIONS } from '../../clip/image/formats.js';
import { InputError } from '../../errors.js';
import type { DataFolder } from './data-folder.js';
import type { Dataset } from './dataset.js';
import { LAYOUTS } from './layouts.js';
import { filesLeftOut, type LeftOut } from './left-out.js';
import type { ReadDataset } from './open-dataset.js';
import type { ExpectedCounts, Layout } from './settings.js';
import { type ClassTally, emptinessWarnings, type Tally, tallyDataset } from './tally.js';

/** What `checkDataset` found. */
export interface DatasetCheck {
  dataset: Dataset;
  layout: Layout | 'manifest';
  /** The layout for people: `{train,val,test}/<class>/*.jpg`. */
  pattern: string;
  /** In the order of labels. `names`: what the class is called in the data set. */
  classes: readonly (ClassTally & { names: readonly string[] })[];
  all: Tally;
  /** What is published; null for folders and manifests. */
  expected: ExpectedCounts | null;
  leftOut: readonly LeftOut[];
  /** Those of the data set, and classes and splits without images. None of it stops the work, but for what they say. */
  warnings: readonly string[];
}

/** Counts what was read of a data set, and looks in its folder for what is not used. Throws InputError if there are no images at all. */
export async function checkReadDataset(data: DataFolder, read: ReadDataset): Promise<DatasetCheck> {
  const { dataset, layout, labels } = read;
  const { classes, all, expected } = tallyDataset(dataset);
  const pattern = layout === 'manifest' ? 'a list of images' : LAYOUTS[layout].pattern;
  if (all.total === 0) {
    const words = dataset.classes.map(({ folder }) => folder).join(', ');
    throw new InputError(`${data.name}: no images of the classes ${words} in ${pattern} (${IMAGE_EXTENSIONS})`);
  }
  const names = (label: number) => [...labels].flatMap(([name, own]) => (own === label ? [name] : []));
  return {
    dataset,
    layout,
    pattern,
    classes: classes.map((one, label) => ({ ...one, names: names(label) })),
    all,
    expected,
    leftOut: await filesLeftOut(data, read),
    warnings: [...dataset.warnings, ...emptinessWarnings({ classes, all })],
  };
}
