/** `--memory`: whatever is computed, the device never holds more than the weights and the budget. */
import { expect, it } from 'vitest';
import { clipVision } from '../../src/clip/config.js';
import { clipPreprocessing } from '../../src/clip/image/index.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../../src/clip/towers/index.js';
import { encoderMemory, VISION_TRANSFORMER } from '../../src/encoders/index.js';
import { type ImageOptions, imageOptions, trainingOf } from '../../src/learners/index.js';
import { type ContextTuning, contextOptions, promptSetup } from '../../src/learners/prompts/index.js';
import { encodePixels, encodeTexts, imagesPerBatch } from '../../src/ptdpc/encode.js';
import { evaluate } from '../../src/ptdpc/evaluate.js';
import { explainImages } from '../../src/ptdpc/explain.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import {
  FixedTexts,
  ImagePromptModel,
  LearnedTexts,
  learnedParameters,
  learnedStart,
  predictImages,
  startImageGradient,
} from '../../src/ptdpc/image-prompts/index.js';
import { probeCell } from '../../src/ptdpc/linear-probe.js';
import { nearestWords } from '../../src/ptdpc/nearest-words.js';
import { MODES, type Mode, type Preset, probeOptions, tuningOptions } from '../../src/ptdpc/options.js';
import { PromptModel } from '../../src/ptdpc/prompt-model.js';
import { evaluateOn, type TrainingImages, trainModel, trainPrompts } from '../../src/ptdpc/train.js';
import { zeroShotLogits } from '../../src/ptdpc/zero-shot.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll, openTestDevice } from '../support/devices.js';
import { randomReals } from '../support/random.js';
import { randomClip, SMALL_CLIP } from '../support/random-clip.js';

const MIB = 2 ** 20;
const WIDTH = 64;
const config = {
  ...SMALL_CLIP,
  projectionDim: WIDTH,
  text: { ...SMALL_CLIP.text, width: WIDTH, heads: 1, intermediate: 4 * WIDTH, vocabularySize: 4000 },
  // 257 rows per picture.
  vision: { ...SMALL_CLIP.vision, imageSize: 64 },
};
const clip = randomClip(config);
const embeddings = new TokenEmbeddings(clip);

const featuresOf = (images: number) => normalizedFeatures(randomReals(5)(images * WIDTH), WIDTH);
const imagesOf = (images: number, classes: number) => ({
  features: featuresOf(images),
  labels: Int32Array.from({ length: images }, (_, i) => (7 * i) % classes),
});
/** `classes` classes of one or two words. */
const textOf = (classes: number) => ({
  ...{ sot: 58, eot: 59, template: [4, 9, 7] },
  classes: Array.from({ length: classes }, (_, c) => (c % 2 ? [1 + (c % 50)] : [2, 1 + (c % 50)])),
});

/** Something computed on a device; `loaded` is called when all is there that the budget does not count. */
type Work = (engine: Engine, budget: number, loaded: () => void) => Promise<unknown>;

const promptWork =
  (preset: Preset, mode: Mode, classes: number, images: number, work: 'train' | 'predict' | 'explain'): Work =>
  async (engine, budget, loaded) => {
    using tower = await TextTower.load(engine, clip, config);
    const options = tuningOptions(preset, { mode, epochs: 1, batchSize: images });
    using model = await PromptModel.create(tower, embeddings, textOf(classes), options);
    loaded();
    const train = imagesOf(images, classes);
    if (work === 'train') await trainPrompts({ model, options, train, validation: train, memory: budget });
    else if (work === 'predict') await evaluateOn(model, train, budget);
    else await explainImages(model, train.features, budget);
  };

const contextWork =
  (given: ContextTuning, classes: number, images: number): Work =>
  async (engine, budget, loaded) => {
    using tower = await TextTower.load(engine, clip, config);
    const { model: how, training } = promptSetup({ ...given, epochs: 1, batchSize: images });
    const anchors = how.guide && normalizedFeatures(randomReals(6)(classes * WIDTH), WIDTH);
    const text = { ...textOf(classes), after: 1, stop: [3] };
    using model = await PromptModel.create(tower, embeddings, text, how, { anchors });
    loaded();
    const train = imagesOf(images, classes);
    await trainPrompts({ model, options: training, train, validation: train, memory: budget });
  };

const imageWork =
  (given: ImageOptions, classes: number, images: number): Work =>
  async (engine, budget, loaded) => {
    const texts = textOf(classes);
    const options = { ...given, depth: 2, epochs: 1, batchSize: images };
    const { training } = trainingOf(options);
    using parts = new DisposableStack();
    const vision = parts.use(await VisionTower.load(engine, clip, config));
    const start = await learnedStart(options, config, embeddings, texts);
    const parameters = learnedParameters(engine, options, config, start);
    const tower = options.learner === 'maple' && parts.use(await TextTower.load(engine, clip, config));
    const compared = tower
      ? await LearnedTexts.create(tower, embeddings, texts, parameters.slice(0, options.depth))
      : new FixedTexts(engine, featuresOf(classes), WIDTH);
    const pictures = clipPreprocessing(64);
    const model = parts.use(new ImagePromptModel(vision, parts.use(compared), options, parameters, 10, pictures));
    loaded();
    const { labels } = imagesOf(images, classes);
    const pixels = Array.from(labels, (_, i) => Int32Array.from(randomReals(i)(64 * 64), (x) => x * 2 ** 31));
    const some = async (from: number, to: number) => pixels.slice(from, to);
    const material: TrainingImages = {
      labels,
      validates: true,
      gradient: (_, places) =>
        startImageGradient(
          model,
          { pixels: Array.from(places, (at) => pixels[at]!), labels: places.map((at) => labels[at]!) },
          budget,
        ),
      evaluate: async () => {
        const seen = evaluate(await predictImages(model, images, some, budget), labels, classes);
        return { seen, loss: seen.loss };
      },
    };
    await trainModel({ model, options: training, images: material, memory: budget });
  };

const textWork =
  (work: (tower: TextTower, budget: number) => Promise<unknown>): Work =>
  async (engine, budget, loaded) => {
    using tower = await TextTower.load(engine, clip, config);
    loaded();
    await work(tower, budget);
  };

const tokenizer = { encodeText: (text: string) => [58, ...[...text].map((letter) => letter.charCodeAt(0) % 50), 59] };

const works: [name: string, Work][] = [
  [
    'embed: pictures',
    async (engine, budget, loaded) => {
      using tower = await VisionTower.load(engine, clip, config);
      loaded();
      using _limit = engine.workWithin(budget);
      const most = imagesPerBatch(
        encoderMemory(VISION_TRANSFORMER, clipVision(config)),
        budget,
        engine.backend.memory.fixedBytes,
      );
      for (const count of [most, 1, most]) {
        const pixels = Array.from({ length: count }, (_, i) =>
          Int32Array.from(randomReals(i)(64 * 64), (x) => x * 2 ** 31),
        );
        await encodePixels(tower, 'joint', pixels, clipPreprocessing(64), true);
      }
    },
  ],
  ...(
    [
      [imageOptions('vpt', { tokens: 5 }), 5, 7],
      [imageOptions('vpt', { tokens: 2 }), 1500, 4],
      [imageOptions('maple', { context: 3, initWords: '' }), 5, 7],
      [imageOptions('maple', { context: 3 }), 600, 4],
    ] as const
  ).map(([options, classes, images]): [string, Work] => [
    `train: ${options.learner}, ${classes} classes, ${images} images`,
    imageWork(options, classes, images),
  ]),
  [
    'embed: texts',
    textWork(async (tower, budget) => {
      const texts = Array.from({ length: 1200 }, (_, i) => tokenizer.encodeText('x'.repeat(1 + (i % 20))));
      let count = 0;
      for await (const piece of encodeTexts(tower, embeddings, texts, budget)) count += piece.length / WIDTH;
      expect(count).toBe(1200);
    }),
  ],
  ...(
    [
      [1200, 3],
      [4, 20_000],
      [1200, 2000],
    ] as const
  ).map(([classes, images]): [string, Work] => [
    `zeroshot: ${classes} classes, ${images} images`,
    textWork((tower, budget) => {
      const texts = Array.from({ length: classes }, (_, c) => (c % 2 ? `a${c}` : [`b ${c}`, `c ${c}`]));
      return zeroShotLogits(tower, embeddings, tokenizer, texts, featuresOf(images), budget);
    }),
  ]),
  ...(['paper', 'official'] as const).flatMap((preset) =>
    MODES.flatMap((mode): [string, Work][] => {
      const perImage = mode === 'both' || mode === 'is';
      return [
        [`train: ${preset}, ${mode}, many images`, promptWork(preset, mode, 6, perImage ? 100 : 9000, 'train')],
        [`train: ${preset}, ${mode}, many classes`, promptWork(preset, mode, 300, perImage ? 2 : 1200, 'train')],
      ];
    }),
  ),
  ...(
    [
      ['coop', {}],
      ['coop', { classSpecific: true }],
      ['kgcoop', {}],
      ['prograd', {}],
      ['cocoop', {}],
    ] as const
  ).flatMap(([name, given]): [string, Work][] => {
    const [many, few] = name === 'cocoop' ? [100, 2] : [9000, 1200];
    const label = `train: ${name}${'classSpecific' in given ? ', class-specific' : ''}`;
    return [
      [`${label}, many images`, contextWork(contextOptions(name, given), 6, many)],
      [`${label}, many classes`, contextWork(contextOptions(name, given), 300, few)],
    ];
  }),
  ...MODES.flatMap((mode): [string, Work][] => [
    [
      `eval and predict: ${mode}, many images`,
      promptWork('paper', mode, 6, mode === 'both' || mode === 'is' ? 200 : 9000, 'predict'),
    ],
    [`predict and explain: ${mode}, many classes`, promptWork('paper', mode, 300, 3, 'explain')],
  ]),
  [
    'explain: nearest words',
    async (engine, budget, loaded) => {
      loaded();
      const options = { top: 3, metric: 'cosine', memory: budget } as const;
      await nearestWords(engine, randomReals(3)(400 * WIDTH), embeddings, options);
    },
  ],
  ...(
    [
      [5, 12_000],
      [500, 2000],
    ] as const
  ).map(([classes, images]): [string, Work] => [
    `probe: ${classes} classes, ${images} images`,
    (engine, budget, loaded) => {
      loaded();
      const train = imagesOf(images, classes);
      const options = probeOptions({ epochs: 1, batchSize: images, l2: 0.1 });
      const cell = { engine, options, train, width: WIDTH, classes, memory: budget, validation: train, test: train };
      return probeCell({ ...cell, rates: [0.1, 0.01] });
    },
  ]),
];

describeOnAll('memory budget', (device) => {
  it.each(works)(
    '%s',
    async (_, work) => {
      // On the CPU, where it takes no longer, a budget that holds most of it in one piece too.
      for (const budget of device().kind === 'cpu' ? [6 * MIB, 20 * MIB] : [6 * MIB]) {
        const backend = await openTestDevice(device().kind, { poison: false });
        let weights = 0;
        await work(new Engine(backend), budget, () => {
          weights = backend.memory.bytes;
        });
        const held = backend.memory.peakHeldBytes - weights;
        expect(held).toBeLessThanOrEqual(budget);
        // The budget is of use: with the smaller one, this is work for several pieces.
        if (budget === 6 * MIB) expect(held).toBeGreaterThan(budget / 3);
        expect(backend.memory.buffers).toBe(0);
        backend.dispose();
      }
    },
    60_000,
  );
});
