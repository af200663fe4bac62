/** A program that uses the library gets what the command line prints, to the last bit. */
import { expect, it } from 'vitest';
import {
  embedFiles,
  embedSplit,
  listImages,
  openDataset,
  openDevice,
  openModelDirectory,
  openRun,
} from '../../../src/node/index.js';
import { ClipModel, evaluate, tuningOptions } from '../../../src/ptdpc/index.js';
import { ptdpcJson, scratchPath, setUpProgram } from '../program.js';
import { setUpModelAndImages, train, WORDS } from './support.js';

setUpProgram();
setUpModelAndImages();

const TUNING = ['--epochs', '2', '--batch-size', '4', '--classes', 'awe,great_joy=great joy,sadness'];

it('zero-shot, training, predictions and explanations are those of the commands', async () => {
  await train('run', ...TUNING);
  using device = await openDevice('cpu');
  await using directory = await openModelDirectory(scratchPath('model'));
  using clip = new ClipModel(device, directory);
  const data = await openDataset(scratchPath('data'), { classes: 'awe,great_joy=great joy,sadness' });
  const [images, held, test] = [
    await embedSplit(clip, data, 'train'),
    await embedSplit(clip, data, 'val'),
    await embedSplit(clip, data, 'test'),
  ];

  const printed = await ptdpcJson<{ loss: number }>([
    'zeroshot',
    '--model',
    'model',
    '--data',
    'data',
    '--device',
    'cpu',
    ...TUNING.slice(4),
  ]);
  const { logits } = await clip.zeroShot(test.features, WORDS);
  expect(evaluate(logits, test.labels, WORDS.length).loss).toBe(printed.loss);

  const options = tuningOptions('paper', { epochs: 2, batchSize: 4 });
  using tuned = await clip.tune({ classes: WORDS, train: images, validation: held, options });
  await using run = await openRun(scratchPath('run'), { model: scratchPath('model') });
  expect((await tuned.file()).prompts).toEqual(run.prompts.prompts);

  using restored = await clip.restorePrompts(run.prompts);
  const { features, paths } = await embedFiles(clip, await listImages([scratchPath('data/test/awe')]));
  const { predictions } = await ptdpcJson<{ predictions: { path: string; probabilities: object }[] }>([
    ...['predict', scratchPath('data/test/awe'), '--run', 'run', '--device', 'cpu'],
  ]);
  const { probabilities } = await restored.predict(features);
  expect(paths).toEqual(predictions.map(({ path }) => path));
  expect(Array.from(probabilities)).toEqual(predictions.flatMap((one) => Object.values(one.probabilities) as number[]));

  const { images: explained } = await ptdpcJson<{ images: { weights: number[][] }[] }>([
    ...['explain', scratchPath('data/test/awe'), '--run', 'run', '--device', 'cpu'],
  ]);
  const weights = (await restored.explain(features)).map((image) => image.weights);
  expect(weights).toEqual(explained.map((image) => image.weights));
});
