/** Which pictures belong to which class and split: of the drawn scenes, and of folders as `ptdpc train` reads them. */
import { EMOTIONS, type Split } from '../../src/demo/index.js';
import { InputError } from '../../src/errors.js';
import { type ClassName, describeOrigin, readDataset } from '../../src/ptdpc/index.js';
import type { DataRequest, FolderData, Picture, SceneData } from '../protocol.js';
import { fileFolder } from './file-folder.js';

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
  /** Warnings about the folder, one sentence each. */
  readonly notes: readonly string[];
}

/** Scenes of each emotion that no training sees. */
const HELD_OUT_SCENES = { val: 10, test: 40 } as const;

/** The test split is the one that the command line draws; validation pictures are taken from the training ones. */
const SHARES = { val: 0.15, test: 0.2 } as const;

/** Throws InputError if there are not two classes to tell apart. */
export async function labelledPictures(request: DataRequest): Promise<LabelledPictures> {
  return request.kind === 'scenes' ? scenes(request) : await folders(request);
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

async function folders({ name, files, setting, seed }: FolderData): Promise<LabelledPictures> {
  const byPath = new Map(files.map(({ path, file }) => [path, file]));
  const { dataset } = await readDataset(fileFolder(name, files), { setting, seed, shares: SHARES });
  const { classes, splits, origin, warnings } = dataset;
  if (classes.length < 2)
    throw new InputError(`${name}: expected at least two classes, found one ("${classes[0]?.folder}")`);
  const of = (split: Split) =>
    (splits[split] ?? []).map(
      ({ path, label }): LabelledPicture => ({ picture: { kind: 'file', file: byPath.get(path)! }, label }),
    );
  return {
    name,
    classes,
    splits: { train: of('train'), val: of('val'), test: of('test') },
    origin: describeOrigin(origin),
    notes: warnings,
  };
}
