/** VPT and MaPLe against PyTorch (test/reference/image_prompt_reference.py), and in little memory against much of it. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { bytesSource } from '../../src/clip/checkpoint/index.js';
import { type ClipConfig, clipTensors, madeClip } from '../../src/clip/config.js';
import { clipPreprocessing } from '../../src/clip/image/index.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../../src/clip/towers/index.js';
import { type ImageOptions, imageOptions, trainingOf } from '../../src/learners/index.js';
import { evaluate } from '../../src/ptdpc/evaluate.js';
import {
  FixedTexts,
  ImagePromptModel,
  LearnedTexts,
  learnedParameters,
  learnedShapes,
  planImages,
  predictImages,
  startImageGradient,
} from '../../src/ptdpc/image-prompts/index.js';
import { partsOf } from '../../src/ptdpc/learned-numbers.js';
import { createOptimizer, type TrainingImages, type TrainingState, trainModel } from '../../src/ptdpc/train.js';
import { learningRateAt } from '../../src/ptdpc/training-options.js';
import { decodeTrainingState, encodeTrainingState } from '../../src/ptdpc/training-state-file.js';
import { classFeatures } from '../../src/ptdpc/zero-shot.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { fixture, maxError, tensorsOf, tinyClip } from '../support/tiny-clip.js';

interface Case {
  name: string;
  learner: ImageOptions['learner'];
  layers: number;
  depth: number;
  tokens: number;
  rate: number;
  losses: number[];
}

const golden = JSON.parse(await readFile(fixture('learners/images/cases.json'), 'utf8')) as {
  sot: number;
  eot: number;
  stop: number;
  template: number[];
  stay: number[];
  classes: number[][];
  cases: Case[];
};
const tensors = await tensorsOf('learners/images/tensors.safetensors');
const GIB = 2 ** 30;
const SIDE = 32;
const bytes = (await tensors('pixels')).data;
const labels = Int32Array.from((await tensors('labels')).data);
const pixels = Array.from(labels, (_, image) =>
  Int32Array.from({ length: SIDE * SIDE }, (_, pixel) => {
    const at = 3 * (image * SIDE * SIDE + pixel);
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
  }),
);
const batch = { pixels, labels };

/** The small CLIP with its layers in turn until there are `layers`. */
async function clipOf(layers: number) {
  const { clip, config: own } = await tinyClip('clip-tiny');
  const config: ClipConfig = { ...own, text: { ...own.text, layers }, vision: { ...own.vision, layers } };
  const stored = (name: string) =>
    name.replace(/^(text|vision)(_model\.encoder\.layers\.)(\d+)/, (_, tower: 'text' | 'vision', middle, layer) =>
      [tower, middle, Number(layer) % own[tower].layers].join(''),
    );
  const numbers = new Map<string, Float32Array>();
  for (const { name } of clipTensors(config)) numbers.set(name, Float32Array.from(await clip.read(stored(name))));
  return {
    config,
    clip: madeClip(config, 'repeated', ({ name, start, length }) => numbers.get(name)!.slice(start, start + length)),
  };
}

function optionsOf({ learner, depth, tokens, rate, losses }: Case): ImageOptions {
  const given = { depth, learningRate: rate, epochs: losses.length };
  return learner === 'vpt'
    ? imageOptions('vpt', { ...given, tokens })
    : imageOptions('maple', { ...given, context: tokens, initWords: '' });
}

/** The case's model as the reference starts it. */
async function modelOf(engine: Engine, one: Case) {
  const parts = new DisposableStack();
  const { clip, config } = await clipOf(one.layers);
  const vision = parts.use(await VisionTower.load(engine, clip, config));
  const tower = parts.use(await TextTower.load(engine, clip, config));
  const embeddings = new TokenEmbeddings(clip);
  const options = optionsOf(one);
  const { sot, eot, stop, classes, template, stay } = golden;
  const shapes = learnedShapes(options, config);
  const sizes = shapes.map(([, shape]) => ({ size: shape.reduce((a, b) => a * b) }));
  const parameters = learnedParameters(
    engine,
    options,
    config,
    partsOf((await tensors(`${one.name}.start`)).data, sizes),
  );
  const words = classes.map((word) => [...stay, ...word]);
  const learned = { sot, eot, classes: words, template: new Array<number>(one.tokens).fill(sot), stop: [stop] };
  const written = classes.map((word) => [[sot, ...template, ...word, stop, eot]]);
  const texts = parts.use(
    one.learner === 'maple'
      ? await LearnedTexts.create(tower, embeddings, learned, parameters.slice(0, one.depth))
      : new FixedTexts(engine, await classFeatures(tower, embeddings, written, GIB), config.projectionDim),
  );
  const how = clipPreprocessing(SIDE);
  const model = parts.use(new ImagePromptModel(vision, texts, options, parameters, tower.logitScale, how));
  return { model, training: trainingOf(options).training, [Symbol.dispose]: () => parts[Symbol.dispose]() };
}

async function gradientOf(model: ImagePromptModel): Promise<number[]> {
  const parts = await Promise.all(model.parameters.map(({ grad }) => grad!.read()));
  return parts.flatMap((part) => Array.from(part));
}

const largest = (values: ArrayLike<number>) => Array.from(values).reduce((most, x) => Math.max(most, Math.abs(x)), 0);
const some = async (start: number, end: number) => pixels.slice(start, end);

/** The images as a training takes them, without validation. */
function imagesOf(model: ImagePromptModel): TrainingImages {
  return {
    labels,
    validates: false,
    gradient: (_, chosen) =>
      startImageGradient(
        model,
        { pixels: Array.from(chosen, (image) => pixels[image]!), labels: chosen.map((image) => labels[image]!) },
        GIB,
      ),
    evaluate: async () => {
      const seen = evaluate(await predictImages(model, 1, some, GIB), labels.subarray(0, 1), model.classes);
      return { seen, loss: seen.loss };
    },
  };
}

/** The smallest budget, in steps of a kibibyte, that is accepted. */
function leastBudget(accepted: (budget: number) => void): number {
  let [refused, enough] = [0, GIB];
  while (enough - refused > 1024) {
    const middle = Math.floor((refused + enough) / 2);
    try {
      accepted(middle);
      enough = middle;
    } catch {
      refused = middle;
    }
  }
  return enough;
}

describeOnAll('learners of the image tower', (device) => {
  it.each(golden.cases)('$name has the logits, gradient and losses of PyTorch', async (one) => {
    const { name, losses } = one;
    const engine = new Engine(device());
    const before = engine.backend.memory.buffers;
    {
      using made = await modelOf(engine, one);
      const { model, training } = made;
      const logits = await predictImages(model, labels.length, some, GIB);
      expect(maxError(logits, (await tensors(`${name}.logits`)).data)).toBeLessThan(1e-4);
      using optimizer = createOptimizer(model, training);
      for (const [step, expected] of losses.entries()) {
        const { result } = await startImageGradient(model, batch, GIB);
        expect(Math.abs((await result).loss - expected), `loss of step ${step}`).toBeLessThan(1e-4);
        if (step === 0) {
          const want = (await tensors(`${name}.grad`)).data;
          expect(maxError(await gradientOf(model), want) / largest(want)).toBeLessThan(1e-3);
        }
        optimizer.step(learningRateAt(training, step));
        model.zeroGrad();
      }
    }
    expect(engine.backend.memory.buffers).toBe(before);
  });

  it.each(golden.cases)('$name has the same loss and gradient in the least memory', async (one) => {
    const engine = new Engine(device());
    using made = await modelOf(engine, one);
    const { model } = made;
    const whole = await (await startImageGradient(model, batch, GIB)).result;
    const expected = await gradientOf(model);
    model.zeroGrad();
    const least = leastBudget((budget) => planImages(model, labels.length, budget));
    const plan = planImages(model, labels.length, least);
    expect(plan.images).toBe(1);
    const pieces = await (await startImageGradient(model, batch, least)).result;
    expect(Math.abs(pieces.loss - whole.loss)).toBeLessThan(1e-5);
    expect(maxError(pieces.logits, whole.logits)).toBeLessThan(1e-4);
    expect(maxError(await gradientOf(model), expected) / largest(expected)).toBeLessThan(1e-4);
  });

  it('goes on from a state to the result of a training without interruption', async () => {
    const engine = new Engine(device());
    const states: TrainingState[] = [];
    const finish = async (resume?: TrainingState) => {
      using made = await modelOf(engine, golden.cases.find(({ name }) => name === 'maple.deep')!);
      const { model, training } = made;
      const options = { ...training, epochs: 3, batchSize: 2 };
      const onEpoch = (_: unknown, state: TrainingState) => void states.push(state);
      await trainModel({ model, options, images: imagesOf(model), memory: GIB, resume, onEpoch });
      return await model.read();
    };
    const straight = await finish();
    const source = bytesSource('state', await encodeTrainingState(states[0]!, 1));
    const { state } = await decodeTrainingState(source, straight.length, 'sgd');
    expect(state.prompts).not.toEqual(straight);
    expect(await finish(state)).toEqual(straight);
  });
});
