/** What images are compared with while the image tower is prompted: fixed text features, or MaPLe's, which are learned too. */
import { Latest, type TextTower, type TokenEmbeddings } from '../../clip/towers/index.js';
import { insertRows, MIX_NUMBERS, type RowMix, rowInsert } from '../../clip/towers/tower-prompts.js';
import { type Engine, normalizeRows, slice, type Tensor } from '../../tensor/index.js';
import { classRunsWithin, ROW_SHARE, tooLittleMemory } from '../budget.js';
import { Forest } from '../forest.js';
import type { ClassRange } from '../prompt-model.js';
import { type FrozenRows, frozenRows, type PromptText } from '../prompt-text.js';

/** Texts of classes on a device. */
export interface ClassTexts extends Disposable {
  readonly classes: number;
  /** Of texts that are learned: how many rows the text tower computes for a range, beside those of each of its classes. */
  readonly learned: LearnedTexts | undefined;
  /** Normalised features [end - start, joint]; on the open tape, if they are learned. */
  features(classes: ClassRange): Tensor;
}

/** Text features that do not change. */
export class FixedTexts implements ClassTexts {
  readonly learned = undefined;
  readonly classes: number;
  readonly #all: Tensor;

  /** Takes normalised features [classes, joint]. */
  constructor(engine: Engine, features: Float32Array, joint: number) {
    this.classes = features.length / joint;
    this.#all = engine.scope(() => engine.tensor(features, [this.classes, joint]).share());
  }

  features({ start, end }: ClassRange): Tensor {
    return slice(this.#all, 0, start, end);
  }

  [Symbol.dispose](): void {
    this.#all.dispose();
  }
}

/** A range's forest, and the rows of its learned tokens. */
interface RangePlan extends Disposable {
  readonly forest: Forest;
  readonly mix: RowMix;
}

/**
 * MaPLe's texts: learned tokens [tokens, width] behind the start-of-text token, and others in their place at the input of each of the next
 * layers. Attention is causal, so the rows of start and tokens are the same for all classes, and are computed once for a range.
 */
export class LearnedTexts implements ClassTexts {
  readonly learned = this;
  /** The one in use, since training counts the memory of no other. */
  readonly #plans = new Latest<string, RangePlan>(1);

  private constructor(
    readonly tower: TextTower,
    private readonly contexts: readonly Tensor[],
    private readonly frozen: FrozenRows,
    private readonly frozenTensor: Tensor,
  ) {}

  /** `contexts`, one for each layer from the first on, belong to the caller; `text` is from `mapleText`. */
  static async create(
    tower: TextTower,
    embeddings: TokenEmbeddings,
    text: PromptText,
    contexts: readonly Tensor[],
  ): Promise<LearnedTexts> {
    const { engine } = tower;
    const frozen = await frozenRows(text, false, tower, embeddings);
    const { width } = tower.config.text;
    const rows = engine.scope(() => engine.tensor(frozen.data, [frozen.rows, width]).share());
    return new LearnedTexts(tower, contexts, frozen, rows);
  }

  get classes(): number {
    return this.frozen.suffixes.length;
  }

  /** Rows of a range beside those of its classes. */
  get sharedRows(): number {
    return this.frozen.prefix;
  }

  /** Rows of each class. */
  get classRows(): readonly number[] {
    return this.frozen.suffixes.map(({ length }) => length);
  }

  /** Bytes of a row of a training pass: the tower's, and those of rows whose learned ones are replaced. */
  get trainingBytesPerRow(): number {
    return this.tower.trainingBytesPerRow + 4 * (2 * this.tower.config.text.width + MIX_NUMBERS);
  }

  /** Bytes of the rows that do not change. */
  get frozenBytes(): number {
    return 4 * this.frozen.data.length;
  }

  /** Frees what is kept between two passes over the same range. */
  forget(): void {
    this.#plans[Symbol.dispose]();
  }

  features(classes: ClassRange): Tensor {
    const { engine } = this.tower;
    const { forest, mix } = this.#plans.get(`${classes.start} ${classes.end}`, () => this.#plan(classes));
    return engine.scope(() => {
      const rows = forest.assemble(this.contexts[0]!, this.frozenTensor);
      const input = (block: number, x: Tensor) => {
        const own = block === 0 ? undefined : this.contexts[block];
        return own ? insertRows(x, mix, own) : x;
      };
      return normalizeRows(this.tower.encodeRows(rows, forest.plan, input));
    });
  }

  #plan({ start, end }: ClassRange): RangePlan {
    const { engine } = this.tower;
    const { frozen } = this;
    const classes = Array.from({ length: end - start }, (_, i) => start + i);
    const forest = new Forest(engine, frozen, [{ set: 0, classes }], 1);
    const owned: Tensor[] = [];
    const own = (data: readonly number[]) => {
      const tensor = engine.scope(() => engine.indices(data).share());
      owned.push(tensor);
      return tensor;
    };
    const rows = forest.plan.rows - frozen.tokens;
    const { again } = rowInsert(own, { sequences: 1, rows, at: 1, learned: frozen.tokens });
    return {
      ...{ forest, mix: again },
      [Symbol.dispose]: () => {
        forest[Symbol.dispose]();
        for (const tensor of owned) tensor.dispose();
      },
    };
  }

  [Symbol.dispose](): void {
    this.#plans[Symbol.dispose]();
    this.frozenTensor.dispose();
  }
}

/** All features [classes, joint] on the host, in as many ranges as fit `budget` bytes, of which `beside` are for something else. Throws InputError if one class does not. */
export async function allTextFeatures(texts: LearnedTexts, budget: number, beside = 0): Promise<Float32Array> {
  const { tower, classRows, sharedRows, classes } = texts;
  const { engine, config, inferenceBytesPerRow, largestWeightBytes } = tower;
  const rest = Math.max(beside, engine.backend.memory.fixedBytes + largestWeightBytes + texts.frozenBytes);
  const runs = classRunsWithin(classRows, sharedRows, Math.floor(((budget - rest) * ROW_SHARE) / inferenceBytesPerRow));
  if (!runs) {
    const rows = sharedRows + classRows.reduce((a, b) => Math.max(a, b));
    throw tooLittleMemory('one text of this model needs', (rows * inferenceBytesPerRow) / ROW_SHARE + rest, budget);
  }
  const all = new Float32Array(classes * config.projectionDim);
  using _limit = engine.workWithin(budget);
  for (const run of runs) {
    using part = engine.scope(() => texts.features(run));
    all.set(await part.read(), run.start * config.projectionDim);
  }
  texts.forget();
  return all;
}
