/** Explanations in all modes: the weights against Eq. 3 in float64, the words against the learned tokens, and what a mode has not. */
import { describe, expect, it } from 'vitest';
import { ClipTokenizer } from '../../src/clip/tokenizer/index.js';
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import {
  changedPrompts,
  explainForward,
  explainImages,
  explainPrompts,
  MODES,
  type Mode,
  PRESETS,
  PromptModel,
  type PromptsFile,
  predictLogits,
  promptCount,
  promptText,
  promptWeights,
  type SkippableWords,
  type TuningOptions,
  tuningOptions,
} from '../../src/ptdpc/index.js';
import { Engine } from '../../src/tensor/index.js';
import { tinyVocabulary } from '../cli/tiny-vocabulary.js';
import { describeOnAll, openTestDevice } from '../support/devices.js';
import { randomReals } from '../support/random.js';
import { maxError, tensorsOf, tinyClip } from '../support/tiny-clip.js';

const MEMORY = 2 ** 28;
const WIDTH = 64;
const CLASSES = ['awe', 'great joy', 'sadness'];
const { clip, config } = await tinyClip('clip-tiny');
const embeddings = new TokenEmbeddings(clip);
const tokenizer = ClipTokenizer.fromMerges(tinyVocabulary, 'merges.txt', {
  vocabularySize: config.text.vocabularySize,
});

/** Prompts that have moved from their start, each class by a way of its own. */
async function promptsFile(mode: Mode, overrides: Partial<TuningOptions> = {}): Promise<PromptsFile> {
  const options = tuningOptions('official', { mode, ...overrides });
  const start = [...(options.learnSot ? [tokenizer.sot] : []), ...tokenizer.encode(options.template)];
  const sets = mode === 'both' || mode === 'cs' ? CLASSES.length : 1;
  const prompts = randomReals(5)(sets * start.length * WIDTH).map((x) => 0.01 * x);
  for (let i = 0; i < sets * start.length; i++) {
    const row = await embeddings.row(start[i % start.length]!);
    row.forEach((value, d) => {
      prompts[i * WIDTH + d]! += value;
    });
  }
  const classes = CLASSES.map((word) => ({ folder: word, word }));
  return { options, classes, modelHash: '', epochs: 1, shape: [sets, start.length, WIDTH], prompts };
}

const explain = async (file: PromptsFile, skip: SkippableWords[] = []) => {
  using device = { backend: await openTestDevice('cpu'), [Symbol.dispose]: () => device.backend.dispose() };
  const options = { top: 3, metric: 'cosine', skip, memory: MEMORY } as const;
  return await explainPrompts(new Engine(device.backend), file, tokenizer, embeddings, options);
};

describe('prompts', () => {
  it.each(MODES)('mode %s: one set of tokens for each class, or one for all, and nothing made up', async (mode) => {
    const explained = await explain(await promptsFile(mode));
    const perClass = mode === 'both' || mode === 'cs';
    expect(explained.prompts.map((prompt) => prompt.class)).toEqual(perClass ? [0, 1, 2] : [null]);
    expect(explained.classes).toEqual(CLASSES);
    expect(explained.equal).toBe(false);
    const absent = { both: [], is: [/class-specific/], cs: [/no weights/], none: [/no weights/, /class-specific/] }[
      mode
    ];
    expect(explained.absent).toHaveLength(absent.length);
    for (const [i, line] of explained.absent.entries()) expect(line).toMatch(absent[i]!);
  });

  it('every learned token is nearest to what it began as, SOT included', async () => {
    const { tokens, prompts } = await explain(await promptsFile('both'));
    expect(tokens.map(({ text, kind }) => [text, kind])).toEqual([
      ['<|startoftext|>', 'special'],
      ...tokenizer.encode('a photo of').map((id) => {
        const { text, kind } = tokenizer.describe(id)!;
        return [text, kind];
      }),
    ]);
    for (const prompt of prompts) {
      for (const [j, { start, nearest }] of prompt.tokens.entries()) {
        expect(nearest).toHaveLength(3);
        expect(nearest[0]).toEqual({ ...tokens[j]!, ...start });
        expect(start.distance).toBeGreaterThan(0);
        expect(nearest[1]!.similarity).toBeLessThan(start.similarity);
      }
    }
  });

  it('passes over special tokens, fragments, and the template', async () => {
    const file = await promptsFile('none');
    const kinds = async (...skip: SkippableWords[]) =>
      (await explain(file, skip)).prompts[0]!.tokens.flatMap(({ nearest }) => nearest);
    expect((await kinds()).map(({ kind }) => kind)).toEqual(expect.arrayContaining(['special', 'fragment']));
    expect((await kinds('special')).some(({ kind }) => kind === 'special')).toBe(false);
    expect((await kinds('special', 'fragments')).every(({ kind }) => kind === 'word')).toBe(true);
    const template = tokenizer.encode('a photo of');
    const ids = (await kinds('template')).map(({ id }) => id);
    expect(ids.filter((id) => template.includes(id) || id === tokenizer.sot)).toEqual([]);
  });

  it('passes over tokens that are parts of characters, even where they are nearest', async () => {
    const [part = 0] = tokenizer.encode('日');
    const file = await promptsFile('none');
    file.prompts.set(await embeddings.row(part));
    const { nearest } = (await explain(file)).prompts[0]!.tokens[0]!;
    expect(tokenizer.describe(part)!.text).toMatch(/^\\x/);
    expect(nearest.map(({ id }) => id)).not.toContain(part);
    expect(nearest.map(({ text }) => text).join()).not.toContain('\\x');
  });

  it('says where all classes have the same tokens', async () => {
    const file = await promptsFile('cs');
    const one = file.prompts.slice(0, file.prompts.length / 3);
    for (const set of [1, 2]) file.prompts.set(one, set * one.length);
    expect((await explain(file)).equal).toBe(true);
  });
});

describeOnAll('images', (device) => {
  const features = Float32Array.from({ length: 5 * WIDTH }, (_, i) =>
    i % WIDTH === (i * 7) % 5 ? 0.6 : 0.01 * (i % 9),
  );

  async function modelOf(engine: Engine, mode: Mode, overrides: Partial<TuningOptions> = {}) {
    const file = await promptsFile(mode, overrides);
    const tower = await TextTower.load(engine, clip, config);
    const text = promptText(tokenizer, file.options.template, CLASSES, config.text.context);
    const model = await PromptModel.create(tower, embeddings, text, file.options, { learned: file.prompts });
    const dispose = () => {
      model[Symbol.dispose]();
      tower[Symbol.dispose]();
    };
    return { model, file, [Symbol.dispose]: dispose };
  }

  it.each(['cosine', 'half'] as const)('weights (%s) are those of Eq. 3', async (weight) => {
    const engine = new Engine(device());
    for (const mode of ['both', 'is'] as const) {
      using it = await modelOf(engine, mode, { weight });
      const [sets = 0, tokens = 0] = it.file.shape;
      const weights = (await promptWeights(it.model, features, MEMORY))!;
      expect(weights).toHaveLength(5 * sets * tokens);
      for (const [at, value] of weights.entries()) {
        const image = Math.floor(at / (sets * tokens));
        const token = at % (sets * tokens);
        let [dot, length] = [0, 0];
        for (let d = 0; d < WIDTH; d++) {
          const p = it.file.prompts[token * WIDTH + d]!;
          dot += features[image * WIDTH + d]! * p;
          length += p * p;
        }
        const cosine = dot / Math.sqrt(length);
        expect(value).toBeCloseTo(weight === 'half' ? (cosine + 1) / 2 : cosine, 5);
      }
      // One image at a time gives the same; less is refused.
      const oneImage = (4 * (2 * WIDTH + 3 * sets * tokens)) / 0.8;
      const least = engine.backend.memory.fixedBytes + 12 * sets * tokens * WIDTH + oneImage + 1;
      expect(maxError((await promptWeights(it.model, features, least))!, weights)).toBeLessThan(1e-6);
      await expect(promptWeights(it.model, features, least - oneImage)).rejects.toThrow(
        /^--memory: weighting one image's prompts needs \d\.\d MiB/,
      );
    }
  });

  it.each(MODES)('mode %s: probabilities, and weights where there are any', async (mode) => {
    using it = await modelOf(new Engine(device()), mode);
    const [sets = 0, tokens = 0] = it.file.shape;
    const images = await explainImages(it.model, features, MEMORY);
    expect(images).toHaveLength(5);
    for (const { predicted, probabilities, weights } of images) {
      expect(probabilities).toHaveLength(CLASSES.length);
      expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
      expect(predicted).toBe(probabilities.indexOf(Math.max(...probabilities)));
      if (mode === 'cs' || mode === 'none') expect(weights).toBeNull();
      else expect(weights!.map((row) => row.length)).toEqual(new Array<number>(sets).fill(tokens));
    }
  });

  it.each(MODES)(
    'mode %s: every step from the feature to the probabilities follows from the one before',
    async (mode) => {
      const engine = new Engine(device());
      using it = await modelOf(engine, mode);
      const [sets = 0, tokens = 0] = it.file.shape;
      const feature = features.subarray(WIDTH, 2 * WIDTH);
      // The layout of the texts is kept from the first time on.
      const first = await explainForward(it.model, feature, MEMORY);
      const before = engine.backend.memory.buffers;
      const pass = await explainForward(it.model, feature, MEMORY);
      expect(engine.backend.memory.buffers).toBe(before);
      expect(pass).toEqual(first);
      expect(pass.prompts).toEqual(it.file.prompts);
      expect(pass.shape).toEqual(it.file.shape);
      expect(pass.logits).toEqual(await predictLogits(it.model, feature, MEMORY));
      const expected = CLASSES.map((_, c) => {
        let dot = 0;
        for (let d = 0; d < WIDTH; d++) dot += feature[d]! * pass.texts[c * WIDTH + d]!;
        return pass.logitScale * dot;
      });
      expect(maxError(pass.logits, expected)).toBeLessThan(1e-4);
      const [explained] = await explainImages(it.model, feature, MEMORY);
      expect(Array.from(pass.probabilities)).toEqual(explained!.probabilities);
      if (mode === 'cs' || mode === 'none') {
        expect([pass.cosines, pass.weights, pass.composed]).toEqual([null, null, null]);
        return;
      }
      expect(pass.weights).toEqual(await promptWeights(it.model, feature, MEMORY));
      const composed = new Float64Array(tokens * WIDTH);
      for (let at = 0; at < sets * tokens; at++) {
        expect(pass.weights![at]).toBeCloseTo((pass.cosines![at]! + 1) / 2, 6);
        for (let d = 0; d < WIDTH; d++)
          composed[(at % tokens) * WIDTH + d]! += pass.weights![at]! * it.file.prompts[at * WIDTH + d]!;
      }
      expect(maxError(pass.composed!, composed)).toBeLessThan(1e-5);
    },
  );

  it("weights that are given take the place of the image's own", async () => {
    const engine = new Engine(device());
    using it = await modelOf(engine, 'both');
    const [sets = 0, tokens = 0] = it.file.shape;
    const [one, other] = [features.subarray(0, WIDTH), features.subarray(3 * WIDTH, 4 * WIDTH)];
    const own = await explainForward(it.model, one, MEMORY);
    expect(await explainForward(it.model, one, MEMORY, own.weights!)).toEqual(own);
    const weights = (await promptWeights(it.model, other, MEMORY))!;
    const changed = await explainForward(it.model, one, MEMORY, weights);
    // The other image's prompt, and this image's comparison with it.
    const others = await explainForward(it.model, other, MEMORY);
    expect(changed.cosines).toEqual(own.cosines);
    expect(changed.weights).toEqual(weights);
    expect(changed.composed).toEqual(others.composed);
    expect(changed.texts).toEqual(others.texts);
    expect(maxError(changed.logits, own.logits)).toBeGreaterThan(1e-4);
    expect(maxError(changed.logits, others.logits)).toBeGreaterThan(1e-4);
    // Nothing of a token is left if its weights are 0.
    weights.forEach((_, at) => {
      if (at % tokens === 1) weights[at] = 0;
    });
    const without = await explainForward(it.model, one, MEMORY, weights);
    expect(without.composed!.subarray(WIDTH, 2 * WIDTH).every((x) => x === 0)).toBe(true);
    expect(weights).toHaveLength(sets * tokens);
  });

  it('classes that do not fit at once are done in turn, with the same result', async () => {
    const engine = new Engine(device());
    for (const mode of ['both', 'cs'] as const) {
      using it = await modelOf(engine, mode);
      const feature = features.subarray(0, WIDTH);
      const whole = await explainForward(it.model, feature, MEMORY);
      const { model } = it;
      const rest = engine.backend.memory.fixedBytes + model.tower.largestWeightBytes + 28 * model.prompts.size;
      const rows = model.frozen.prefix + 4;
      const inRuns = await explainForward(
        model,
        feature,
        rest + (rows * model.tower.inferenceBytesPerRow) / 0.8 + 2 ** 16,
      );
      for (const name of ['texts', 'logits', 'probabilities'] as const)
        expect(maxError(inRuns[name], whole[name]), `${mode} ${name}`).toBeLessThan(1e-4);
      expect(inRuns.weights).toEqual(whole.weights);
    }
  });
});

describe('prompts as another mode or preset would use them', () => {
  const sot = Float32Array.from({ length: WIDTH }, (_, d) => d);

  it.each(MODES)('tuned in mode %s', async (from) => {
    const file = await promptsFile(from);
    const [sets = 0, tokens = 0] = file.shape;
    expect(changedPrompts(file, {}, sot)).toEqual(file);
    for (const mode of MODES) {
      const changed = changedPrompts(file, { mode }, sot);
      const count = promptCount(mode, CLASSES.length);
      expect(changed.options).toEqual({ ...file.options, mode });
      expect(changed.shape).toEqual([count, tokens, WIDTH]);
      const size = tokens * WIDTH;
      for (let at = 0; at < count * size; at++) {
        const all = Array.from({ length: sets }, (_, set) => file.prompts[set * size + (at % size)]!);
        const mean = all.reduce((a, b) => a + b) / sets;
        expect(changed.prompts[at]).toBe(count === sets ? file.prompts[at] : Math.fround(mean));
      }
    }
  });

  it('the start token is learned or frozen as the preset has it', async () => {
    const file = await promptsFile('both');
    const [sets = 0, tokens = 0] = file.shape;
    const paper = changedPrompts(file, { preset: 'paper' }, sot);
    const { weight, learnSot } = PRESETS.paper;
    expect(paper.options).toEqual({ ...file.options, preset: 'paper', weight, learnSot });
    expect(paper.shape).toEqual([sets, tokens - 1, WIDTH]);
    const back = changedPrompts(paper, { preset: 'official' }, sot);
    expect(back.options).toEqual(file.options);
    expect(back.shape).toEqual(file.shape);
    back.prompts.forEach((value, at) => {
      const [token, d] = [Math.floor(at / WIDTH) % tokens, at % WIDTH];
      expect(value).toBe(token === 0 ? sot[d] : file.prompts[at]);
    });
  });
});

it('class-specific tokens that begin equal stay equal in mode both: the golden run of PyTorch shows it too', async () => {
  const golden = await tensorsOf('ptdpc/tensors.safetensors');
  for (const preset of ['paper', 'official']) {
    const { data, shape } = await golden(`${preset}.both.after8`);
    const [sets = 1] = shape;
    const one = data.subarray(0, data.length / sets);
    expect(sets).toBeGreaterThan(1);
    for (let set = 1; set < sets; set++) {
      expect(maxError(data.subarray(set * one.length, (set + 1) * one.length), one)).toBeLessThan(1e-5);
    }
  }
});
