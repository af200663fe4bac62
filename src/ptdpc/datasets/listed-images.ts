/** What data sets with a list of images share: a list is checked before it is believed. */
import { quoted, shortened } from '../../clip/checkpoint/quoted.js';
import { InputError } from '../../errors.js';
import type { DataFolder } from './data-folder.js';
import { SPLITS } from './dataset.js';
import { className } from './folder-names.js';
import { byCodeUnit, type ImageList, type ListedImage } from './image-list.js';
import { ListedFiles } from './listing.js';

/** An entry of a list, and where it stands (`train.json: entry 3`). */
export interface Listed extends ListedImage {
  where: string;
}

/**
 * Checks a list and leaves out what is missing or listed twice, with a warning. Throws InputError if an image is listed with two
 * classes or in two splits, where only some entries have a split, and where none of the files is there.
 */
export async function listOf(data: DataFolder, listed: readonly Listed[], source: string): Promise<ImageList> {
  if (listed.length === 0) throw new InputError(`${source}: expected images, found none`);
  const files = new ListedFiles(data);
  const seen = new Map<string, Listed>();
  const missing: Listed[] = [];
  let repeated = 0;
  for (const { path, name, ...rest } of listed) {
    const found = await files.find(path);
    const entry = { ...rest, path: found ?? path, name: className(name) };
    const before = seen.get(entry.path);
    if (!before) {
      seen.set(entry.path, entry);
      if (found === undefined) missing.push(entry);
    } else {
      requireSame(before, entry, 'class', before.name, entry.name);
      requireSame(before, entry, 'split', before.split, entry.split);
      repeated++;
    }
  }
  const all = [...seen.values()];
  const [some] = all;
  const odd = all.find(({ split }) => (split === undefined) !== (some?.split === undefined));
  if (odd) throw new InputError(`${odd.where}: expected a split for all images or for none`);

  const absent = new Set(missing);
  const images = all
    .filter((entry) => !absent.has(entry))
    .map(({ path, name, split }): ListedImage => ({ path, name, split }));
  const [lost] = missing;
  if (images.length === 0 && lost) {
    throw new InputError(
      `${lost.where}: ${data.place(shortened(lost.path))} is not there, nor is any other listed image`,
    );
  }
  const warnings: string[] = [];
  if (lost)
    warnings.push(
      `${source}: ${missing.length} of ${all.length} listed images are missing, first ${shortened(lost.path)}`,
    );
  if (repeated > 0) warnings.push(`${source}: ${repeated} of ${listed.length} entries repeat an image`);
  const namesOf = (some: readonly Listed[]) => [...new Set(some.map(({ name }) => name))].sort(byCodeUnit);
  const first = SPLITS.find((split) => all.some((entry) => entry.split === split));
  return {
    images,
    names: namesOf(all),
    classNames: namesOf(all.filter(({ split }) => split === first)),
    origin: some?.split === undefined ? undefined : { kind: 'published' },
    warnings,
    omitted: missing.map(({ path }) => ({ path, why: 'missing' })),
  };
}

function requireSame(before: Listed, now: Listed, what: string, a: string | undefined, b: string | undefined): void {
  if (a === b) return;
  throw new InputError(
    `${now.where}: ${shortened(now.path)} has ${what} ${quoted(b ?? null)}, but ${quoted(a ?? null)} in ${before.where}`,
  );
}
