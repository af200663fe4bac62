import { InputError } from '../../../src/errors.js';
import { promptSetup } from '../../../src/learners/prompts/index.js';
import type { ClipModel, ImageExplanation } from '../../../src/ptdpc/index.js';
import { MOST_SHOWN } from '../../most-shown.js';
import type { PictureAnswer, PredictAnswer, PredictRequest } from '../../protocol.js';
import { embedPictures } from '../pictures.js';
import type { Session } from '../session.js';
import type { Work } from './task.js';

export const predict: Work<'predict'> = (request, { session, signal, progress }) =>
  session.withClip(async (clip) => {
    const { pictures } = request;
    const { features, refused } = await embedPictures(clip, pictures, { signal, progress });
    const { classes, zeroShot, tuned } = await classify(clip, session, request, features);
    const columns = classes.length;
    let row = 0;
    const answers = pictures.map((_, place): PictureAnswer => {
      const reason = refused.get(place);
      if (reason !== undefined) return { refused: reason };
      const own = zeroShot.subarray(row * columns, (row + 1) * columns);
      const answer = { zeroShot: Array.from(own), tuned: tuned ? shownPart(tuned[row]!) : null };
      row++;
      return answer;
    });
    return { classes, pictures: answers } satisfies PredictAnswer;
  });

/** Without the weights that the page does not show. */
const shownPart = (image: ImageExplanation): ImageExplanation => ({
  ...image,
  weights: image.weights?.slice(0, MOST_SHOWN) ?? null,
});

interface Classified {
  classes: readonly string[];
  /** [images, classes]. */
  zeroShot: Float32Array;
  tuned: readonly ImageExplanation[] | null;
}

/** The same template with and without tuning, so that the difference is what was learned. */
async function classify(
  clip: ClipModel,
  session: Session,
  { prompts, classes }: PredictRequest,
  features: Float32Array,
): Promise<Classified> {
  if (prompts === null) {
    if (classes.length < 2)
      throw new InputError(`expected at least two classes to tell apart, found ${classes.length}`);
    if (features.length === 0) return { classes, zeroShot: features, tuned: null };
    return { classes, zeroShot: (await clip.zeroShot(features, classes)).probabilities, tuned: null };
  }
  using tuned = await clip.restorePrompts(session.promptsOf(prompts));
  const { words, options } = tuned;
  if (features.length === 0) return { classes: words, zeroShot: features, tuned: null };
  const zeroShot = await clip.zeroShot(features, words, promptSetup(options).template);
  return { classes: words, zeroShot: zeroShot.probabilities, tuned: await tuned.explain(features) };
}
