/**
 * Prompts composed, read by the frozen text tower and compared with images: from learned tokens to logits.
 *
 *     w[i][j] = s(cos(f, p[i][j]))             weights of an image
 *     pd[j]   = sum over i of w[i][j] p[i][j]  one diversified prompt per image (paper, Eq. 3)
 *     text i  = tower([SOT] pd [class words i] [EOT])
 *     logit i = logitScale cos(f, text i)
 */
import { Latest, type TextTower, type TokenEmbeddings } from '../clip/towers/index.js';
import { affine, compose, type Engine, groupDot, matmul, normalizeRows, type Tensor } from '../tensor/index.js';
import { Forest, type PromptTree } from './forest.js';
import type { Mode, TuningOptions } from './options.js';
import { type FrozenRows, frozenRows, type InitOptions, initialPrompts, type PromptText } from './prompt-text.js';

/** The options that the start, the forward pass and the loss depend on. */
export type PromptModelOptions = InitOptions & Pick<TuningOptions, 'mode' | 'weight' | 'loss' | 'logitScale'>;

/** A run of classes, [start, end). */
export interface ClassRange {
  start: number;
  end: number;
}

/** Learned prompts on their text tower: from normalised image features to logits. */
export class PromptModel implements Disposable {
  readonly engine: Engine;
  readonly logitScale: number;
  readonly #forests = new Latest<string, Forest>();

  private constructor(
    readonly tower: TextTower,
    readonly options: PromptModelOptions,
    readonly classes: number,
    /** The learned tokens, [prompts, tokens, width]: the one thing that is trained. */
    readonly prompts: Tensor,
    readonly frozen: FrozenRows,
    private readonly frozenTensor: Tensor,
  ) {
    this.engine = tower.engine;
    this.logitScale = options.logitScale === 'clip' ? tower.logitScale : options.logitScale;
  }

  /** Prompts at their start, or at `prompts` where given. */
  static async create(
    tower: TextTower,
    embeddings: TokenEmbeddings,
    text: PromptText,
    options: PromptModelOptions,
    prompts?: Float32Array,
  ): Promise<PromptModel> {
    const { engine } = tower;
    const { width } = tower.config.text;
    const frozen = await frozenRows(text, options.learnSot, tower, embeddings);
    const count = promptCount(options.mode, text.classes.length);
    const data = prompts ?? (await initialPrompts(text, options, count, embeddings));
    return new PromptModel(
      tower,
      options,
      text.classes.length,
      engine.parameter(data, [count, frozen.tokens, width]),
      frozen,
      engine.scope(() => engine.tensor(frozen.data, [frozen.rows, width]).share()),
    );
  }

  /** True if every image has its own prompt. */
  get perImage(): boolean {
    return this.options.mode === 'both' || this.options.mode === 'is';
  }

  get allClasses(): ClassRange {
    return { start: 0, end: this.classes };
  }

  /** The weights w of each image, [batch, prompts, tokens]. features [batch, width], normalised. */
  weights(features: Tensor): Tensor {
    const [prompts = 0, tokens = 0, width = 0] = this.prompts.shape;
    const directions = normalizeRows(this.prompts.reshape([prompts * tokens, width]));
    const cosines = matmul(features, directions, { transposeB: true });
    const weights = this.options.weight === 'half' ? affine(cosines, 0.5, 0.5) : cosines;
    return weights.reshape([features.rows, prompts, tokens]);
  }

  /** Normalised features [end - start, width] of a run of classes' texts, if they are the same for every image. */
  sharedTexts(classes: ClassRange): Tensor {
    return this.textFeatures(this.prompts, this.forest(1, classes));
  }

  /**
   * Logits of images [batch, width] (normalised features) for a run of classes, [batch, end - start]; `shared` are these classes' texts
   * if they are the same for every image and known already.
   */
  logits(features: Tensor, classes: ClassRange = this.allClasses, shared?: Tensor): Tensor {
    return this.engine.scope(() => {
      if (!this.perImage) {
        const texts = shared ?? this.sharedTexts(classes);
        return matmul(features, texts, { transposeB: true, alpha: this.logitScale });
      }
      const composed = compose(this.weights(features), this.prompts);
      const texts = this.textFeatures(composed, this.forest(features.rows, classes));
      return groupDot(features, texts, this.logitScale);
    });
  }

  /** Normalised text features [leaves, width] of sets of learned tokens [sets, tokens, width]. */
  textFeatures(learned: Tensor, forest: Forest): Tensor {
    const rows = learned.reshape([learned.rows, learned.columns]);
    const input = forest.assemble(rows, this.frozenTensor);
    return normalizeRows(this.tower.encodeRows(input, forest.plan));
  }

  /** The forest for a number of images and a run of classes; the same ones come back at every step, so the latest are kept. */
  forest(images: number, classes: ClassRange): Forest {
    return this.#forests.get(`${images} ${classes.start} ${classes.end}`, () => {
      const sets = this.perImage ? images : this.prompts.shape[0]!;
      return new Forest(this.engine, this.frozen, promptTrees(this.options.mode, images, classes), sets);
    });
  }

  /** Frees the prompts; the tower stays. */
  [Symbol.dispose](): void {
    this.#forests[Symbol.dispose]();
    this.prompts.zeroGrad();
    this.prompts.dispose();
    this.frozenTensor.dispose();
  }
}

/** One prompt per class where prompts are class-specific, else one. */
export function promptCount(mode: Mode, classes: number): number {
  return mode === 'both' || mode === 'cs' ? classes : 1;
}

/** `both`, `is`: a tree per image; `cs`: a tree per class; `none`: one tree. */
function promptTrees(mode: Mode, images: number, { start, end }: ClassRange): PromptTree[] {
  const classes = Array.from({ length: end - start }, (_, i) => start + i);
  if (mode === 'cs') return classes.map((c) => ({ set: c, classes: [c] }));
  return Array.from({ length: mode === 'none' ? 1 : images }, (_, set) => ({ set, classes }));
}
