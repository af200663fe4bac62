/**
 * CLIP as it comes: classifies scenes by the text of each class, with one template and with several.
 *
 *     npm run example -- zero-shot
 */
import { ClipModel, evaluate } from 'ptdpc';
import { EMOTIONS } from 'ptdpc/demo';
import { demoModelDirectory, openDevice, openModelDirectory } from 'ptdpc/node';
import { embedScenes } from './scenes.js';

using device = await openDevice('auto');
await using directory = await openModelDirectory(demoModelDirectory());
using clip = new ClipModel(device, directory);

const { features, labels } = await embedScenes(clip, 'test', 10);

for (const templates of [['a photo of'], ['a photo of', 'a drawing of {} and a feeling of {}']]) {
  const { logits } = await clip.zeroShot(features, EMOTIONS, templates);
  const { accuracy, macroF1 } = evaluate(logits, labels, EMOTIONS.length);
  console.log(`"${templates.join('" and "')}": accuracy ${accuracy.toFixed(3)}, macro-F1 ${macroF1.toFixed(3)}`);
}
