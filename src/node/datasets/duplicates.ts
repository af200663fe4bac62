/** Images of a data set that are the same file, byte for byte, under several paths. */
import { InputError } from '../../errors.js';
import { type Dataset, SPLITS, type Split } from '../../ptdpc/datasets/index.js';
import { sha256 } from '../feature-segment.js';
import { readImageFile } from '../image-files.js';

/** An image that occurs in several places. */
export interface DuplicateImage {
  sha256: string;
  /** In the order of splits and classes. */
  places: readonly { path: string; split: Split; class: string }[];
}

/** Files read at once. */
const AT_ONCE = 8;

/**
 * The images with more than one path in the splits of a data set, by the content of their files; a file that cannot be read is none.
 * `onImage` is called after each one.
 */
export async function duplicateImages(
  { splits, classes }: Pick<Dataset, 'splits' | 'classes'>,
  onImage: () => void = () => {},
): Promise<DuplicateImage[]> {
  const places = SPLITS.flatMap((split) =>
    (splits[split] ?? []).map(({ path, label }) => ({ path, split, class: classes[label]!.folder })),
  );
  const hashes: (string | undefined)[] = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < places.length; index = next++) {
      hashes[index] = await readImageFile(places[index]!.path).then(sha256, unlessUnreadable);
      onImage();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const byHash = new Map<string, DuplicateImage['places'][number][]>();
  places.forEach((place, index) => {
    const hash = hashes[index];
    if (hash === undefined) return;
    const same = byHash.get(hash) ?? [];
    byHash.set(hash, same);
    same.push(place);
  });
  return [...byHash].flatMap(([sha256, places]) => (places.length > 1 ? [{ sha256, places }] : []));
}

/** Whether a duplicate makes results wrong: it occurs in two splits or two classes. */
export function isHarmful({ places }: DuplicateImage): boolean {
  const [first] = places;
  return places.some((place) => place.split !== first!.split || place.class !== first!.class);
}

function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof InputError)) throw error;
}
