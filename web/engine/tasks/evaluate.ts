import { InputError } from '../../../src/errors.js';
import { promptSetup } from '../../../src/learners/prompts/index.js';
import type { ClassName, LabelledFeatures } from '../../../src/ptdpc/index.js';
import { compareWithZeroShot, heldOutOf } from '../prepared-data.js';
import type { Work } from './task.js';

export const evaluate: Work<'evaluate'> = ({ data, prompts }, { session }) =>
  session.withClip(async (clip) => {
    const prepared = session.dataOf(data);
    const heldOut = heldOutOf(prepared);
    if (!heldOut) return null;
    using tuned = await clip.restorePrompts(session.promptsOf(prompts));
    const [split, images] = heldOut;
    const relabelled = inClassesOf(tuned.classes, prepared.classes, images, clip.width);
    return await compareWithZeroShot(
      clip,
      [split, relabelled],
      tuned.words,
      promptSetup(tuned.options).template,
      tuned,
    );
  });

/** The pictures whose class the prompts know, with the labels that these have. */
function inClassesOf(
  classes: readonly ClassName[],
  own: readonly ClassName[],
  { features, labels }: LabelledFeatures,
  width: number,
): LabelledFeatures {
  const labelOf = own.map(({ folder }) => classes.findIndex((known) => known.folder === folder));
  const places = [...labels.keys()].filter((i) => labelOf[labels[i]!]! >= 0);
  if (places.length === 0)
    throw new InputError(
      `none of the pictures belongs to a class of the prompts: ${classes.map(({ folder }) => folder).join(', ')}`,
    );
  const kept = new Float32Array(places.length * width);
  places.forEach((place, i) => {
    kept.set(features.subarray(place * width, (place + 1) * width), i * width);
  });
  return { features: kept, labels: Int32Array.from(places, (place) => labelOf[labels[place]!]!) };
}
