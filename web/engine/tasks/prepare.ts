import { SPLITS, type Split } from '../../../src/demo/index.js';
import { InputError } from '../../../src/errors.js';
import type { ClipModel, LabelledFeatures } from '../../../src/ptdpc/index.js';
import type { DataReport } from '../../protocol.js';
import { type LabelledPicture, labelledPictures } from '../labelled-pictures.js';
import { embedPictures } from '../pictures.js';
import { watchedOf } from '../prepared-data.js';
import type { Context, Work } from './task.js';

let kept = 0;

export const prepare: Work<'prepare'> = async (request, context) => {
  const { name, classes, splits, origin, notes } = await labelledPictures(request);
  const { session } = context;
  return session.withClip(async (clip) => {
    const refused: string[] = [];
    const features: Partial<Record<Split, LabelledFeatures>> = {};
    const read: Partial<Record<Split, readonly LabelledPicture[]>> = {};
    for (const split of SPLITS) {
      const embedded = await embedSplit(clip, splits[split], split, context, refused);
      if (!embedded) continue;
      features[split] = embedded.features;
      read[split] = embedded.read;
    }
    const { train } = features;
    const empty = classes.find((_, label) => !train?.labels.includes(label));
    if (empty) throw new InputError(`${name}: class "${empty.folder}" has no pictures to train on`);
    const id = `data-${++kept}`;
    const watched = watchedOf({ splits: features }, classes.length);
    session.keepData(id, { classes, splits: features, watched });
    const count = (split: Split) => features[split]?.labels.length ?? 0;
    const counts = { train: count('train'), val: count('val'), test: count('test') };
    return {
      id,
      name,
      classes,
      counts,
      origin,
      notes,
      refused,
      modelHash: await clip.source.hash(),
      watched: watched.places.map((place) => read[watched.split]![place]!),
    } satisfies DataReport;
  });
};

const PICTURES = { train: 'training', val: 'validation', test: 'test' } as const;

/** Undefined if nothing of the split can be read. What is passed over is added to `refused`. */
async function embedSplit(
  clip: ClipModel,
  pictures: readonly LabelledPicture[],
  split: Split,
  { signal, progress }: Context<DataProgress>,
  refused: string[],
): Promise<{ features: LabelledFeatures; read: readonly LabelledPicture[] } | undefined> {
  if (pictures.length === 0) return undefined;
  const what = `encoding the ${PICTURES[split]} pictures`;
  const embedded = await embedPictures(
    clip,
    pictures.map(({ picture }) => picture),
    { signal, progress, what },
  );
  for (const line of embedded.refused.values()) refused.push(line);
  const read = pictures.filter((_, place) => !embedded.refused.has(place));
  if (read.length === 0) return undefined;
  const labels = Int32Array.from(read, ({ label }) => label);
  return { features: { features: embedded.features, labels }, read };
}

type DataProgress = Parameters<Parameters<Work<'prepare'>>[1]['progress']>[0];
