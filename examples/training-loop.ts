/**
 * A training loop of one's own on the tape: prompts tuned with label smoothing, which no preset has. The forward pass is the library's;
 * the loss, its gradient and the schedule are here.
 *
 *     npm run example -- training-loop
 */
import {
  AdamW,
  addScaled,
  affine,
  ClipModel,
  crossEntropy,
  evaluate,
  mean,
  PromptModel,
  predictLogits,
  promptText,
  type Tensor,
  tuningOptions,
} from 'ptdpc';
import { EMOTIONS } from 'ptdpc/demo';
import { demoModelDirectory, openDevice, openModelDirectory } from 'ptdpc/node';
import { embedScenes } from './scenes.js';

const EPOCHS = 6;
const BATCH = 16;
const SMOOTHING = 0.1;

using device = await openDevice('auto');
await using directory = await openModelDirectory(demoModelDirectory());
using clip = new ClipModel(device, directory);
const { engine, width } = clip;

const train = await embedScenes(clip, 'train', 10);
const test = await embedScenes(clip, 'test', 10);

// Prompts at their start: the template's token embeddings, once for each class.
const options = tuningOptions('official', { loss: 'ce' });
const text = promptText(await directory.tokenizer(), options.template, EMOTIONS, directory.config.text.context);
using prompts = await PromptModel.create(await clip.textTower(), clip.tokenEmbeddings, text, options);
using optimizer = new AdamW([prompts.prompts], { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 });

/** (1 - e) times the cross-entropy of the labels, and e times its mean over all classes: Szegedy et al., 2016. */
function smoothed(logits: Tensor, labels: Tensor, count: number): Tensor {
  const every = EMOTIONS.map((_, c) => mean(crossEntropy(logits, engine.indices(new Int32Array(count).fill(c)))));
  const uniform = every.reduce((sum, loss) => addScaled(sum, loss));
  const target = affine(mean(crossEntropy(logits, labels)), 1 - SMOOTHING);
  return addScaled(uniform, target, SMOOTHING / EMOTIONS.length);
}

const accuracyOf = async () =>
  evaluate(await predictLogits(prompts, test.features, clip.memory), test.labels, EMOTIONS.length).accuracy;

const before = await accuracyOf();
const count = train.labels.length;
for (let epoch = 0; epoch < EPOCHS; epoch++) {
  let sum = 0;
  for (let start = 0; start < count; start += BATCH) {
    // Every seventh scene, since those of a class lie together.
    const rows = Array.from({ length: BATCH }, (_, i) => ((start + i) * 7) % count);
    const features = Float32Array.from({ length: BATCH * width }, (_, i) => {
      return train.features[rows[Math.floor(i / width)]! * width + (i % width)]!;
    });
    const labels = rows.map((row) => train.labels[row]!);
    // What is made in the scope is freed at its end, except what it returns.
    using loss = engine.scope(() =>
      engine.withTape((tape) => {
        const logits = prompts.logits(engine.tensor(features, [BATCH, width]));
        const loss = smoothed(logits, engine.indices(labels), BATCH);
        tape.backward(loss);
        return loss;
      }),
    );
    optimizer.step(0.01 * (1 - epoch / EPOCHS));
    prompts.prompts.zeroGrad();
    sum += (await loss.read())[0]! * BATCH;
  }
  console.log(`epoch ${epoch + 1}: loss ${(sum / count).toFixed(4)}`);
}
console.log(`accuracy ${before.toFixed(3)} before tuning, ${(await accuracyOf()).toFixed(3)} after`);
