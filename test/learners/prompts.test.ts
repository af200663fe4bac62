/** CoOp and the learners that follow it against PyTorch (test/reference/learners_reference.py), and in little memory against much of it. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { bytesSource } from '../../src/clip/checkpoint/index.js';
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import { type ContextTuning, contextOptions, promptSetup } from '../../src/learners/prompts/index.js';
import { planBatch } from '../../src/ptdpc/budget.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import type { LabelledFeatures } from '../../src/ptdpc/labelled-features.js';
import { PromptModel } from '../../src/ptdpc/prompt-model.js';
import { accumulateGradient, predictLogits } from '../../src/ptdpc/step.js';
import { createOptimizer, type EpochMetrics, type TrainingState, trainPrompts } from '../../src/ptdpc/train.js';
import { learningRateAt } from '../../src/ptdpc/training-options.js';
import { decodeTrainingState, encodeTrainingState } from '../../src/ptdpc/training-state-file.js';
import { classFeatures } from '../../src/ptdpc/zero-shot.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { fixture, maxError, tensorsOf, tinyClip } from '../support/tiny-clip.js';

interface Case {
  name: string;
  learner: ContextTuning['learner'];
  tokens: number;
  place: 'end' | 'middle' | 'front';
  specific?: boolean;
  weight?: number;
  hidden?: number;
  lambda?: number;
  temperature?: number;
  losses: number[];
}

const golden = JSON.parse(await readFile(fixture('learners/prompts.json'), 'utf8')) as {
  sot: number;
  eot: number;
  stop: number;
  template: number[];
  classes: number[][];
  learningRate: number;
  cases: Case[];
};
const tensors = await tensorsOf('learners/prompts.safetensors');
const GIB = 2 ** 30;
const WIDTH = 64;
const batch: LabelledFeatures = {
  features: normalizedFeatures((await tensors('features')).data, WIDTH),
  labels: Int32Array.from((await tensors('labels')).data),
};

function optionsOf({ learner, tokens, place, specific, weight, hidden, lambda, temperature, losses }: Case) {
  const given = {
    ...{ context: tokens, initWords: '', learningRate: golden.learningRate, epochs: losses.length },
    ...(learner === 'coop' && { classPosition: place, classSpecific: specific ?? false }),
    ...(learner === 'prograd' && { classPosition: place, lambda, temperature }),
    ...(weight !== undefined && { guideWeight: weight }),
    ...(hidden !== undefined && { reduction: WIDTH / hidden }),
  };
  return promptSetup(contextOptions(learner, given));
}

/** The case's model as the reference starts it. */
async function modelOf(engine: Engine, one: Case) {
  const { clip, config } = await tinyClip('clip-tiny');
  const tower = await TextTower.load(engine, clip, config);
  const embeddings = new TokenEmbeddings(clip);
  const { sot, eot, stop, classes } = golden;
  const after = { end: 0, middle: Math.ceil(one.tokens / 2), front: one.tokens }[one.place];
  const text = { sot, eot, classes, template: new Array<number>(one.tokens).fill(sot), after, stop: [stop] };
  const written = classes.map((word) => [[sot, ...golden.template, ...word, stop, eot]]);
  const setup = optionsOf(one);
  const anchors = setup.model.guide && (await classFeatures(tower, embeddings, written, GIB));
  const { data: learned } = await tensors(`${one.name}.start`);
  const model = await PromptModel.create(tower, embeddings, text, setup.model, { learned, anchors });
  const dispose = () => {
    model[Symbol.dispose]();
    tower[Symbol.dispose]();
  };
  return { model, setup, [Symbol.dispose]: dispose };
}

/** The gradient of all learned numbers. */
async function gradientOf(model: PromptModel): Promise<number[]> {
  const parts = await Promise.all(model.parameters.map(({ grad }) => grad!.read()));
  return parts.flatMap((part) => Array.from(part));
}

const largest = (values: ArrayLike<number>) => Array.from(values).reduce((most, x) => Math.max(most, Math.abs(x)), 0);

describeOnAll('learners of prompts', (device) => {
  it.each(golden.cases)('$name has the logits, gradient and losses of PyTorch', async (one) => {
    const { name, losses } = one;
    const engine = new Engine(device());
    const before = engine.backend.memory.buffers;
    {
      using made = await modelOf(engine, one);
      const { model, setup } = made;
      const logits = await predictLogits(model, batch.features, GIB);
      expect(maxError(logits, (await tensors(`${name}.logits`)).data)).toBeLessThan(1e-4);
      using optimizer = createOptimizer(model, setup.training);
      for (const [step, expected] of losses.entries()) {
        const { loss } = await accumulateGradient(model, batch, GIB);
        expect(Math.abs(loss - expected), `loss of step ${step}`).toBeLessThan(1e-4);
        if (step === 0) {
          const want = (await tensors(`${name}.grad`)).data;
          expect(maxError(await gradientOf(model), want) / largest(want)).toBeLessThan(1e-3);
        }
        optimizer.step(learningRateAt(setup.training, step));
        model.zeroGrad();
      }
      expect(maxError(await model.read(), (await tensors(`${name}.after`)).data)).toBeLessThan(1e-4);
    }
    expect(engine.backend.memory.buffers).toBe(before);
  });

  it('goes on from a state of several tensors to the result of a training without interruption', async () => {
    const one = golden.cases.find(({ name }) => name === 'cocoop')!;
    const engine = new Engine(device());
    const states: TrainingState[] = [];
    const finish = async (resume?: TrainingState) => {
      using made = await modelOf(engine, one);
      const { model, setup } = made;
      const options = { ...setup.training, epochs: 3, batchSize: 3 };
      const onEpoch = (_: EpochMetrics, state: TrainingState) => void states.push(state);
      await trainPrompts({ model, options, train: batch, memory: GIB, resume, onEpoch });
      return await model.read();
    };
    const straight = await finish();
    const source = bytesSource('state', await encodeTrainingState(states[0]!, 1));
    const { state } = await decodeTrainingState(source, straight.length, 'sgd');
    expect(state.prompts).not.toEqual(straight);
    expect(await finish(state)).toEqual(straight);
  });

  it.each(golden.cases)('$name has the same loss and gradient where the classes do not fit at once', async (one) => {
    const engine = new Engine(device());
    using made = await modelOf(engine, one);
    const { model } = made;
    const whole = await accumulateGradient(model, batch, GIB);
    const expected = await gradientOf(model);
    model.zeroGrad();
    const { trainingBytesPerRow: row } = model.tower;
    // The smallest that suffices, to a row.
    let budget = 0;
    for (let rows = 1; budget === 0; rows++) {
      try {
        planBatch(model, batch.labels.length, rows * row, row);
        budget = rows * row;
      } catch {}
    }
    const plan = planBatch(model, batch.labels.length, budget, row);
    expect(plan.classRuns.length).toBeGreaterThan(1);
    const pieces = await accumulateGradient(model, batch, budget);
    expect(Math.abs(pieces.loss - whole.loss)).toBeLessThan(1e-5);
    expect(maxError(pieces.logits, whole.logits)).toBeLessThan(1e-4);
    expect(maxError(await gradientOf(model), expected) / largest(expected)).toBeLessThan(1e-4);
  });
});
