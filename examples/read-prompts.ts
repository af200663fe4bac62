/**
 * What tuned prompts have become: the nearest words of each learned token, and how an image weighs them (Eq. 3).
 *
 *     npm run example -- read-prompts
 */
import { ClipModel, tuningOptions } from 'ptdpc';
import { EMOTIONS } from 'ptdpc/demo';
import { demoModelDirectory, openDevice, openModelDirectory } from 'ptdpc/node';
import { embedScenes } from './scenes.js';

using device = await openDevice('auto');
await using directory = await openModelDirectory(demoModelDirectory());
using clip = new ClipModel(device, directory);

const train = await embedScenes(clip, 'train', 4);
using tuned = await clip.tune({
  classes: EMOTIONS,
  train,
  // Class-specific prompts differ from class to class; in mode `both` they stay equal, since they begin so.
  options: tuningOptions('official', { mode: 'cs', epochs: 3, batchSize: 16 }),
});

const { tokens, prompts, classes } = await tuned.nearestWords({ top: 2, skip: ['special', 'fragments'] });
for (const prompt of prompts.slice(0, 2)) {
  for (const [j, { start, nearest }] of prompt.tokens.entries()) {
    const words = nearest.map(({ text, similarity }) => `${text} ${similarity.toFixed(2)}`).join(', ');
    const moved = start.distance.toFixed(2);
    console.log(`${classes[prompt.class!]}: "${tokens[j]!.text}" moved by ${moved}, now near ${words}`);
  }
}

// Weights exist where prompts depend on the image: in the modes `both` and `is`.
using weighted = await clip.tune({
  classes: EMOTIONS,
  train,
  options: tuningOptions('official', { mode: 'is', epochs: 1, batchSize: 16 }),
});
const [image] = await weighted.explain(train.features.subarray(0, clip.width));
const [row] = image!.weights!;
console.log(`weights of the first scene: ${row!.map((w, j) => `${tokens[j]!.text} ${w.toFixed(3)}`).join(', ')}`);
