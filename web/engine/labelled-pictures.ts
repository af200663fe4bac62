/** Which pictures belong to which class and split: of the drawn scenes, and of folders as `ptdpc train` reads them. */
import { IMAGE_EXTENSIONS, IMAGE_NAME } from '../../src/clip/image/formats.js';
import { EMOTIONS, SPLITS, type Split } from '../../src/demo/index.js';
import { InputError } from '../../src/errors.js';
import { type ClassName, classWord, describeOrigin, seededSplit } from '../../src/ptdpc/index.js';
import type { DataRequest, FolderData, Picture, SceneData } from '../protocol.js';

export interface LabelledPicture {
  readonly picture: Picture;
  /** Place among the classes. */
  readonly label: number;
}

export interface LabelledPictures {
  readonly name: string;
  readonly classes: readonly ClassName[];
  readonly splits: Readonly<Record<Split, readonly LabelledPicture[]>>;
  /** Where the splits come from, for people. */
  readonly origin: string;
}

/** Scenes of each emotion that no training sees. */
const HELD_OUT_SCENES = { val: 10, test: 40 } as const;

/** The share for testing is the command line's, and so are the pictures; the share for watching is taken from training. */
const SHARES = { val: 0.15, test: 0.2 } as const;

/** Throws InputError where there are not two classes to tell apart. */
export function labelledPictures(request: DataRequest): LabelledPictures {
  return request.kind === 'scenes' ? scenes(request) : folders(request);
}

function scenes({ perClass, seed }: SceneData): LabelledPictures {
  const counts: Readonly<Record<Split, number>> = { train: perClass, ...HELD_OUT_SCENES };
  const drawn = (split: Split) =>
    EMOTIONS.flatMap((emotion, label) =>
      Array.from(
        { length: counts[split] },
        (_, index): LabelledPicture => ({
          picture: { kind: 'scene', scene: { emotion, split, seed, index } },
          label,
        }),
      ),
    );
  return {
    name: `scenes, seed ${seed}`,
    classes: EMOTIONS.map((word) => ({ folder: word, word })),
    splits: { train: drawn('train'), val: drawn('val'), test: drawn('test') },
    origin: 'drawn as three splits',
  };
}

interface Found {
  /** `<class>/<file>`. */
  readonly path: string;
  readonly name: string;
  readonly split: Split | undefined;
  readonly file: File;
}

function folders({ name, files, seed }: FolderData): LabelledPictures {
  const found = files.flatMap(({ path, file }) => place(path, file));
  const published = found.filter(({ split }) => split !== undefined);
  const images = published.length > 0 ? published : found;
  const names = [...new Set(images.map((image) => image.name))].sort((a, b) => (a < b ? -1 : 1));
  if (names.length < 2) {
    throw new InputError(
      `${name}: expected folders of pictures (${IMAGE_EXTENSIONS}), one for each of at least two classes, or such folders in train, val and test; ` +
        `found ${names.length === 0 ? 'none' : `one ("${names[0]}")`}`,
    );
  }
  const classes = names.map((folder) => ({ folder, word: classWord(folder) }));
  const twin = classes.find(({ word }, i) => classes.findIndex((other) => sameWord(other.word, word)) < i);
  if (twin) throw new InputError(`${name}: two folders have the same word "${twin.word}"`);
  const splits = published.length > 0 ? images.map(({ split }) => split!) : seededSplit(images, SHARES, seed);
  const of = (split: Split) =>
    images
      .map(({ file, path, name: folder }, i) => ({ path, file, label: names.indexOf(folder), split: splits[i] }))
      .filter((image) => image.split === split)
      .sort((a, b) => a.label - b.label || (a.path < b.path ? -1 : 1))
      .map(({ file, label }): LabelledPicture => ({ picture: { kind: 'file', file }, label }));
  return {
    name,
    classes,
    splits: { train: of('train'), val: of('val'), test: of('test') },
    origin: describeOrigin(published.length > 0 ? { kind: 'given' } : { kind: 'seeded', seed }),
  };
}

/** Where a file below the chosen folder belongs: `<class>/<file>`, `images/<class>/<file>` or `<split>/<class>/<file>`. */
function place(path: string, file: File): Found[] {
  const parts = path.split('/');
  if (!IMAGE_NAME.test(path) || parts.some((part) => part.startsWith('.'))) return [];
  const split = SPLITS.find((name) => name === parts[0]);
  const below = split !== undefined || (parts[0] === 'images' && parts.length === 3) ? parts.slice(1) : parts;
  const [name, own] = below;
  if (below.length !== 2 || name === undefined || own === undefined) return [];
  return [{ path: `${name}/${own}`, name, split, file }];
}

const sameWord = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
