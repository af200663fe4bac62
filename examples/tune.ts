/**
 * PT-DPC: tunes prompts on a few scenes, saves them, and predicts with them.
 *
 *     npm run example -- tune
 */
import { ClipModel, evaluate, tuningOptions } from 'ptdpc';
import { EMOTIONS } from 'ptdpc/demo';
import { demoModelDirectory, openDevice, openModelDirectory } from 'ptdpc/node';
import { embedScenes } from './scenes.js';

using device = await openDevice('auto');
await using directory = await openModelDirectory(demoModelDirectory());
using clip = new ClipModel(device, directory);

const train = await embedScenes(clip, 'train', 10);
const test = await embedScenes(clip, 'test', 10);

const options = tuningOptions('official', { epochs: 6, batchSize: 16 });
const before = await clip.zeroShot(test.features, EMOTIONS, options.template);

// Ctrl-C ends the training between two steps; without it the process would end at once.
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));

using tuned = await clip.tune({
  classes: EMOTIONS,
  train,
  options,
  signal: interrupt.signal,
  onEpoch: ({ epoch, trainLoss }) => console.log(`epoch ${epoch + 1}: loss ${trainLoss.toFixed(4)}`),
});

// The bytes of a prompts.safetensors: keep them where you like. `restorePrompts` takes them up again.
const file = await tuned.save();
using restored = await clip.restorePrompts(file);

const { accuracy } = evaluate(before.logits, test.labels, EMOTIONS.length);
const after = await restored.evaluate(test);
console.log(`accuracy ${accuracy.toFixed(3)} before tuning, ${after.accuracy.toFixed(3)} after`);

const one = test.features.subarray(0, clip.width);
const { classes, probabilities, predicted } = await restored.predict(one);
console.log(`the first scene: ${classes[predicted[0]!]}, probability ${probabilities[predicted[0]!]!.toFixed(3)}`);
