/** Whether the steps that are timed compute the right thing: their losses at ViT-B/32's size beside PyTorch's on the same batch. */
import { writeFileSync } from 'node:fs';
import { TextTower, TokenEmbeddings } from '../src/clip/towers/index.js';
import { openModelDirectory } from '../src/node/model-directory.js';
import {
  accumulateGradient,
  createOptimizer,
  normalizedFeatures,
  PromptModel,
  tuningOptions,
} from '../src/ptdpc/index.js';
import { Engine } from '../src/tensor/index.js';
import { benchFile, realSizeModel } from './models.js';
import { lossesPeer, runPeerJson } from './peers.js';
import { onDevice } from './session.js';
import { resultRow, type StandaloneBenchmark } from './standalone.js';
import { normal } from './workloads/numbers.js';
import { TEXT } from './workloads/training-step.js';

const BATCH = 16;
/** As many as the preset takes with its first learning rate. */
const STEPS = 3;

export const lossesBenchmark: StandaloneBenchmark = {
  name: 'losses',
  devices: ['cpu', 'webgpu'],
  async measure(device, { peers }) {
    await using model = await openModelDirectory(realSizeModel('f16'));
    const { projectionDim } = model.config;
    const batch = {
      features: normalizedFeatures(normal(BATCH * projectionDim), projectionDim),
      labels: Int32Array.from({ length: BATCH }, (_, i) => i % TEXT.classes.length),
    };
    const ours = await onDevice(device, async (backend) => {
      const options = tuningOptions('paper', { batchSize: BATCH });
      using tower = await TextTower.load(new Engine(backend), model.clip, model.config);
      using prompts = await PromptModel.create(tower, new TokenEmbeddings(model.clip), TEXT, options);
      using optimizer = createOptimizer(prompts, options);
      const losses: number[] = [];
      for (let step = 0; step < STEPS; step++) {
        losses.push((await accumulateGradient(prompts, batch, 2 ** 30)).loss);
        optimizer.step(options.learningRate);
        prompts.prompts.zeroGrad();
      }
      return losses;
    });
    const task = benchFile('losses.json');
    const rows = Array.from(batch.labels, (_, i) => [
      ...batch.features.subarray(i * projectionDim, (i + 1) * projectionDim),
    ]);
    const labels = [...batch.labels];
    writeFileSync(
      task,
      JSON.stringify({ model: realSizeModel('f16'), text: TEXT, features: rows, labels, steps: STEPS }),
    );
    const command = peers ? lossesPeer(task) : undefined;
    const theirs = command ? (runPeerJson(command).losses as number[]) : undefined;
    const work = `losses of ${STEPS} training steps, batch ${BATCH}: largest difference from PyTorch`;
    const notes = `ours ${ours.map((loss) => loss.toFixed(6)).join(', ')}; PyTorch ${theirs?.map((loss) => loss.toFixed(6)).join(', ') ?? 'not run'}`;
    const difference = theirs ? Math.max(...ours.map((loss, i) => Math.abs(loss - theirs[i]!))) : Number.NaN;
    return [resultRow(work, device, '', [difference], { notes })];
  },
};
