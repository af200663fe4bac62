/** Which pictures belong to which class and split: of the drawn scenes, and of folders as `ptdpc train` reads them. */
import { IMAGE_EXTENSIONS, IMAGE_NAME } from '../../src/clip/image/formats.js';
import { cleanText } from '../../src/clip/tokenizer/clean-text.js';
import { EMOTIONS, type Split } from '../../src/demo/index.js';
import { InputError } from '../../src/errors.js';
import {
  type ClassName,
  className,
  classWord,
  describeOrigin,
  isHidden,
  numberedWarnings,
  seededSplit,
  splitFolders,
} from '../../src/ptdpc/index.js';
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
  /** What is odd about the folder, a sentence each. */
  readonly notes: readonly string[];
}

/** Scenes of each emotion that no training sees. */
const HELD_OUT_SCENES = { val: 10, test: 40 } as const;

/** The share for testing is the command line's, and so are the pictures; the share for watching is taken from training. */
const SHARES = { val: 0.15, test: 0.2 } as const;

/** Throws InputError if there are not two classes to tell apart. */
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
    notes: [],
  };
}

interface Found {
  /** `<class>/<path below it>`. */
  readonly path: string;
  readonly name: string;
  readonly split: Split | undefined;
  /** Path below the class's folder. */
  readonly file: string;
  readonly picture: File;
}

function folders({ name, files, seed }: FolderData): LabelledPictures {
  const pictures = files.filter(({ path }) => IMAGE_NAME.test(path) && !path.split('/').some(isHidden));
  const tops = new Set(pictures.flatMap(({ path }) => (path.includes('/') ? [path.split('/')[0]!] : [])));
  const published = splitFolders([...tops], name);
  const splitOf = new Map([...(published ?? [])].map(([split, folder]) => [folder, split]));
  const images = pictures.flatMap(({ path, file }) => place(path, file, published && splitOf));
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
  const splits = published ? images.map(({ split }) => split!) : seededSplit(images, SHARES, seed);
  const of = (split: Split) =>
    images
      .map(({ picture, path, name: folder }, i) => ({ path, picture, label: names.indexOf(folder), split: splits[i] }))
      .filter((image) => image.split === split)
      .sort((a, b) => a.label - b.label || (a.path < b.path ? -1 : 1))
      .map(({ picture, label }): LabelledPicture => ({ picture: { kind: 'file', file: picture }, label }));
  return {
    name,
    classes,
    splits: { train: of('train'), val: of('val'), test: of('test') },
    origin: describeOrigin(published ? { kind: 'given' } : { kind: 'seeded', seed }),
    notes: notesOf(names, pictures.length - images.length),
  };
}

function notesOf(names: readonly string[], leftOut: number): string[] {
  const notes: string[] = [];
  if (leftOut > 0) notes.push(`Pictures in no folder of a class, left out: ${leftOut}.`);
  if (numberedWarnings(names).length > 0)
    notes.push('The classes are called by numbers, and so are their prompts: rename the folders to words.');
  return notes;
}

/**
 * Where a file below the chosen folder belongs: `<split>/<class>/...` where there are splits, else `<class>/...` or `images/<class>/...`;
 * none if that is in no class.
 */
function place(path: string, picture: File, splits: ReadonlyMap<string, Split> | undefined): Found[] {
  const [top = '', ...rest] = path.split('/');
  const split = splits?.get(top);
  if (splits && split === undefined) return [];
  const isOutside = split !== undefined || (/^images$/i.test(top) && rest.length > 1);
  const [folder, ...below] = isOutside ? rest : [top, ...rest];
  if (folder === undefined || below.length === 0) return [];
  const name = className(folder);
  return [{ path: `${name}/${below.join('/')}`, name, split, file: below.join('/'), picture }];
}

const sameWord = (a: string, b: string) => cleanText(a) === cleanText(b);
