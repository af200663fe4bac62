/** Every step of a forward pass, and the same under another mode, preset or weights. */
import { InputError } from '../../../src/errors.js';
import {
  type ClipModel,
  changedPrompts,
  promptWeights,
  ptDpcPrompts,
  startTokens,
  type TunedPrompts,
} from '../../../src/ptdpc/index.js';
import { MOST_DRAWN, placesShown } from '../../most-shown.js';
import type { ExplainAnswer, Picture, Progress, WhatIf } from '../../protocol.js';
import { embedPictures } from '../pictures.js';
import type { Work } from './task.js';

export const explain: Work<'explain'> = ({ prompts, image, change }, { session, signal, progress }) =>
  session.withClip(async (clip) => {
    signal.throwIfAborted();
    const feature = image instanceof Float32Array ? image : await featureOf(clip, image, signal, progress);
    const sot = await clip.tokenEmbeddings.row((await clip.source.tokenizer()).sot);
    const own = ptDpcPrompts(session.promptsOf(prompts), 'How it works');
    using tuned = await clip.restorePrompts(changedPrompts(own, change, sot));
    return await shownPart(clip, tuned, feature, await weightsUnder(clip, tuned, feature, change));
  });

async function featureOf(
  clip: ClipModel,
  picture: Picture,
  signal: AbortSignal,
  progress: (progress: Progress) => void,
): Promise<Float32Array> {
  const { features, refused } = await embedPictures(clip, [picture], { signal, progress });
  const reason = refused.get(0);
  if (reason !== undefined) throw new InputError(reason);
  return features;
}

/** The weights of all prompts and tokens; undefined if they are the picture's own. */
async function weightsUnder(
  { memory }: ClipModel,
  { model }: TunedPrompts,
  feature: Float32Array,
  { weights, set = [] }: WhatIf,
): Promise<Float32Array | undefined> {
  if (weights === undefined && set.length === 0) return undefined;
  const changed = await promptWeights(model, weights instanceof Float32Array ? weights : feature, memory);
  if (!changed) return undefined;
  if (weights === 'equal') changed.fill(changed.reduce((sum, weight) => sum + weight, 0) / changed.length);
  const [, tokens = 0] = model.prompts.shape;
  for (const { prompt, token, value } of set) changed[prompt * tokens + token] = value;
  return changed;
}

async function shownPart(
  clip: ClipModel,
  tuned: TunedPrompts,
  feature: Float32Array,
  weights: Float32Array | undefined,
): Promise<ExplainAnswer> {
  const whole = await tuned.explainForward(feature, weights);
  const { words } = tuned;
  const places = placesShown(whole.probabilities, MOST_DRAWN);
  const [sets = 0, tokens = 0, width = 0] = whole.shape;
  const shownSets = sets === 1 ? [0] : places;
  const { prompts, cosines, weights: used } = whole;
  return {
    ...whole,
    prompts: rowsAt(prompts, tokens * width, shownSets),
    shape: [shownSets.length, tokens, width],
    cosines: cosines && rowsAt(cosines, tokens, shownSets),
    weights: used && rowsAt(used, tokens, shownSets),
    texts: rowsAt(whole.texts, width, places),
    logits: rowsAt(whole.logits, 1, places),
    probabilities: rowsAt(whole.probabilities, 1, places),
    classes: places.map((place) => words[place]!),
    places,
    classCount: words.length,
    options: tuned.options,
    tokens: startTokens(await clip.source.tokenizer(), tuned.options),
    layers: clip.source.config.text.layers,
  };
}

/** Some rows of a matrix with so many columns. */
function rowsAt(matrix: Float32Array, columns: number, rows: readonly number[]): Float32Array {
  const some = new Float32Array(rows.length * columns);
  rows.forEach((row, i) => {
    some.set(matrix.subarray(row * columns, (row + 1) * columns), i * columns);
  });
  return some;
}
