/**
 * From learned tokens to logits: composes prompts, encodes them with the frozen text tower and compares them with images.
 *
 *     w[i][j] = s(cos(f, p[i][j]))             weights for an image
 *     pd[j]   = sum over i of w[i][j] p[i][j]  one diversified prompt per image (paper, Eq. 3)
 *     text i  = tower([SOT] pd [class words i] [EOT])
 *     logit i = logitScale cos(f, text i)
 */
import { Latest, type TextTower, type TokenEmbeddings } from '../clip/towers/index.js';
import { affine, compose, type Engine, groupDot, matmul, normalizeRows, type Tensor } from '../tensor/index.js';
import { Forest, type PromptTree } from './forest.js';
import type { Mode, TuningOptions } from './options.js';
import { type FrozenRows, frozenRows, type InitOptions, initialPrompts, type PromptText } from './prompt-text.js';

/** The options that affect initialisation, forward pass and loss. */
export type PromptModelOptions = InitOptions & Pick<TuningOptions, 'mode' | 'weight' | 'loss' | 'logitScale'>;

/** A range of classes, [start, end). */
export interface ClassRange {
  start: number;
  end: number;
}

/**
 * What a forward pass computes on its way to the logits, step by step, for a batch of images and a range of classes. `prompts` is the number
 * of classes, or 1. In modes whose prompts do not depend on the image, the first three are undefined.
 */
export type ForwardPass = {
  /** cos(f, p[i][j]), [batch, prompts, tokens]. */
  readonly cosines: Tensor | undefined;
  /** w[i][j] = s(cosine), [batch, prompts, tokens]. */
  readonly weights: Tensor | undefined;
  /** pd[j] of each image, [batch, tokens, width]. */
  readonly composed: Tensor | undefined;
  /** Normalised text features: [batch * classes, width] if every image has its own texts, else [classes, width]. */
  readonly texts: Tensor;
  /** [batch, classes]. */
  readonly logits: Tensor;
};

/** What of a forward pass is given instead of computed. */
export interface ForwardOptions {
  /** Default: all classes. */
  readonly classes?: ClassRange;
  /** The result of `sharedTexts` for these classes, if already computed. */
  readonly shared?: Tensor | undefined;
  /** Weights [batch, prompts, tokens] in place of s(cosine). */
  readonly weights?: Tensor | undefined;
}

/** Learned prompts with their text tower: maps normalised image features to logits. */
export class PromptModel implements Disposable {
  readonly engine: Engine;
  readonly logitScale: number;
  readonly #forests = new Latest<string, Forest>();

  private constructor(
    readonly tower: TextTower,
    readonly options: PromptModelOptions,
    readonly classes: number,
    /** The learned tokens, [prompts, tokens, width], the only trained parameters. */
    readonly prompts: Tensor,
    readonly frozen: FrozenRows,
    private readonly frozenTensor: Tensor,
  ) {
    this.engine = tower.engine;
    this.logitScale = options.logitScale === 'clip' ? tower.logitScale : options.logitScale;
  }

  /** Creates a model with newly initialised prompts, or with the given `prompts`. */
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
    return isPerImage(this.options.mode);
  }

  get allClasses(): ClassRange {
    return { start: 0, end: this.classes };
  }

  /** The weights w, [batch, prompts, tokens], for normalised features [batch, width]. */
  weights(features: Tensor): Tensor {
    return this.#weigh(this.#cosines(features));
  }

  #cosines(features: Tensor): Tensor {
    const [prompts = 0, tokens = 0, width = 0] = this.prompts.shape;
    const directions = normalizeRows(this.prompts.reshape([prompts * tokens, width]));
    return matmul(features, directions, { transposeB: true }).reshape([features.rows, prompts, tokens]);
  }

  /** s: the identity, or half of (cosine + 1). */
  #weigh(cosines: Tensor): Tensor {
    return this.options.weight === 'half' ? affine(cosines, 0.5, 0.5) : cosines;
  }

  /** Normalised text features [end - start, width] for a range of classes; only in modes where they do not depend on the image. */
  sharedTexts(classes: ClassRange): Tensor {
    return this.textFeatures(this.prompts, this.forest(1, classes));
  }

  /** Equation 3 and what follows from it, for normalised image features [batch, width]. */
  forward(features: Tensor, { classes = this.allClasses, shared, weights: given }: ForwardOptions = {}): ForwardPass {
    return this.engine.scope(() => {
      if (!this.perImage) {
        const texts = shared ?? this.sharedTexts(classes);
        const logits = matmul(features, texts, { transposeB: true, alpha: this.logitScale });
        return { cosines: undefined, weights: undefined, composed: undefined, texts, logits };
      }
      const cosines = this.#cosines(features);
      const weights = given ?? this.#weigh(cosines);
      const composed = compose(weights, this.prompts);
      const texts = this.textFeatures(composed, this.forest(features.rows, classes));
      return { cosines, weights, composed, texts, logits: groupDot(features, texts, this.logitScale) };
    });
  }

  /** Its last step alone: logits [batch, classes]. */
  logits(features: Tensor, options: ForwardOptions = {}): Tensor {
    return this.engine.scope(() => this.forward(features, options).logits);
  }

  /** Normalised text features [leaves, width] of sets of learned tokens [sets, tokens, width]. */
  textFeatures(learned: Tensor, forest: Forest): Tensor {
    const rows = learned.reshape([learned.rows, learned.columns]);
    const input = forest.assemble(rows, this.frozenTensor);
    return normalizeRows(this.tower.encodeRows(input, forest.plan));
  }

  /** The forest for a number of images and a range of classes, cached because the same ones recur at every step. */
  forest(images: number, classes: ClassRange): Forest {
    return this.#forests.get(`${images} ${classes.start} ${classes.end}`, () => {
      const sets = this.perImage ? images : this.prompts.shape[0]!;
      return new Forest(this.engine, this.frozen, promptTrees(this.options.mode, images, classes), sets);
    });
  }

  /** Frees the prompts, but not the tower. */
  [Symbol.dispose](): void {
    this.#forests[Symbol.dispose]();
    this.prompts.zeroGrad();
    this.prompts.dispose();
    this.frozenTensor.dispose();
  }
}

/** True if every image has its own prompt in this mode. */
export function isPerImage(mode: Mode): boolean {
  return mode === 'both' || mode === 'is';
}

/** True if every class has its own prompt in this mode, so that prompts fit no other classes. */
export function isClassSpecific(mode: Mode): boolean {
  return mode === 'both' || mode === 'cs';
}

/** One prompt per class if prompts are class-specific, else one. */
export function promptCount(mode: Mode, classes: number): number {
  return isClassSpecific(mode) ? classes : 1;
}

/** `both`, `is`: one tree per image; `cs`: one per class; `none`: a single tree. */
function promptTrees(mode: Mode, images: number, { start, end }: ClassRange): PromptTree[] {
  const classes = Array.from({ length: end - start }, (_, i) => start + i);
  if (mode === 'cs') return classes.map((c) => ({ set: c, classes: [c] }));
  return Array.from({ length: mode === 'none' ? 1 : images }, (_, set) => ({ set, classes }));
}
