/**
 * From learned tokens to logits: composes prompts, encodes them with the frozen text tower and compares them with images.
 *
 *     w[i][j] = s(cos(f, p[i][j]))             weights for an image
 *     pd[j]   = sum over i of w[i][j] p[i][j]  one diversified prompt per image (paper, Eq. 3)
 *     text i  = tower([SOT] pd [class words i] [EOT])
 *     logit i = logitScale cos(f, text i)
 *
 * Other learners of prompts compose theirs in another way: CoOp uses the tokens as they are (modes `none` and `cs`), and CoCoOp adds to each
 * of them what a network makes of f (meta-net.ts).
 */
import { Latest, type TextTower, type TokenEmbeddings } from '../clip/towers/index.js';
import { metaNetWidth } from '../learners/prompts/cocoop.js';
import { add, affine, compose, type Engine, groupDot, matmul, normalizeRows, type Tensor } from '../tensor/index.js';
import { Forest, type PromptTree } from './forest.js';
import type { Guide } from './guide.js';
import { LearnedModel } from './learned-numbers.js';
import { metaNetOutput, newMetaNet } from './meta-net.js';
import { isPerImage, promptCount, type TuningOptions } from './options.js';
import { type FrozenRows, frozenRows, type InitOptions, initialPrompts, type PromptText } from './prompt-text.js';

/** The options that affect initialisation, forward pass and loss. */
export interface PromptModelOptions
  extends InitOptions,
    Pick<TuningOptions, 'mode' | 'weight' | 'loss' | 'logitScale'> {
  /** Of CoCoOp: the joint width divided by this is the width of its network's hidden layer. The mode is then `none`. */
  readonly metaNet?: number | undefined;
  /** How the hand-written prompts of CLIP guide the training. */
  readonly guide?: Guide | undefined;
}

/** What a model starts with, in place of what its options say. */
export interface LearnedStart {
  /** All learned numbers, see `PromptModel.read`. */
  readonly learned?: Float32Array | undefined;
  /** What a guide compares with: normalised text features [classes, joint] of hand-written prompts. */
  readonly anchors?: Float32Array | undefined;
}

/** A range of classes, [start, end). */
export interface ClassRange {
  start: number;
  end: number;
}

/**
 * What a forward pass computes on its way to the logits, step by step, for a batch of images and a range of classes. `prompts` is the number
 * of classes, or 1. Where prompts do not depend on the image, the first three are undefined; CoCoOp has no cosines and weights.
 */
export type ForwardPass = {
  /** cos(f, p[i][j]), [batch, prompts, tokens]. */
  readonly cosines?: Tensor | undefined;
  /** w[i][j] = s(cosine), [batch, prompts, tokens]. */
  readonly weights?: Tensor | undefined;
  /** The learned tokens of each image, in PT-DPC pd[j], [batch, tokens, width]. */
  readonly composed?: Tensor | undefined;
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
export class PromptModel extends LearnedModel implements Disposable {
  readonly engine: Engine;
  readonly logitScale: number;
  readonly #forests = new Latest<string, Forest>();
  /** Of ranges of classes, which there are where memory is scarce: the one in use. */
  readonly #partForests = new Latest<string, Forest>(1);

  private constructor(
    readonly tower: TextTower,
    readonly options: PromptModelOptions,
    readonly classes: number,
    /** The learned tokens, [prompts, tokens, width]. */
    readonly prompts: Tensor,
    /** What else is learned: the parameters of CoCoOp's network. */
    readonly metaNet: readonly Tensor[],
    readonly frozen: FrozenRows,
    private readonly frozenTensor: Tensor,
    /** See `LearnedStart`; [classes, joint]. */
    readonly anchors: Tensor | undefined,
  ) {
    super();
    this.engine = tower.engine;
    this.logitScale = options.logitScale === 'clip' ? tower.logitScale : options.logitScale;
  }

  /** Creates a model with newly initialised prompts, or with what is given. */
  static async create(
    tower: TextTower,
    embeddings: TokenEmbeddings,
    text: PromptText,
    options: PromptModelOptions,
    { learned, anchors }: LearnedStart = {},
  ): Promise<PromptModel> {
    const { engine } = tower;
    const {
      projectionDim: joint,
      text: { width },
    } = tower.config;
    const frozen = await frozenRows(text, options.learnSot, tower, embeddings);
    const count = promptCount(options.mode, text.classes.length);
    const size = count * frozen.tokens * width;
    const prompts = learned?.subarray(0, size) ?? (await initialPrompts(text, options, count, embeddings));
    const hidden = options.metaNet === undefined ? 0 : metaNetWidth(joint, options.metaNet);
    const own = (data: Float32Array, shape: readonly number[]) =>
      engine.scope(() => engine.tensor(data, shape).share());
    const model = new PromptModel(
      tower,
      options,
      text.classes.length,
      engine.parameter(prompts, [count, frozen.tokens, width]),
      hidden === 0 ? [] : newMetaNet(engine, joint, hidden, width, options.seed),
      frozen,
      own(frozen.data, [frozen.rows, width]),
      anchors && own(anchors, [text.classes.length, joint]),
    );
    if (learned) model.write(learned);
    return model;
  }

  get parameters(): readonly Tensor[] {
    return [this.prompts, ...this.metaNet];
  }

  /** Width of the space that images and texts share. */
  get joint(): number {
    return this.tower.config.projectionDim;
  }

  /** True if every image has its own prompt. */
  get perImage(): boolean {
    return this.metaNet.length > 0 || isPerImage(this.options.mode);
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
        return { texts, logits };
      }
      if (this.metaNet.length > 0) return this.#conditioned(features, classes);
      const cosines = this.#cosines(features);
      const weights = given ?? this.#weigh(cosines);
      const composed = compose(weights, this.prompts);
      const texts = this.textFeatures(composed, this.forest(features.rows, classes));
      return { cosines, weights, composed, texts, logits: groupDot(features, texts, this.logitScale) };
    });
  }

  /** CoCoOp's: the tokens with what the network makes of each image. */
  #conditioned(features: Tensor, classes: ClassRange): ForwardPass {
    const shift = metaNetOutput(this.metaNet, features);
    const composed = add(this.prompts, shift.reshape([features.rows, 1, shift.columns]));
    const texts = this.textFeatures(composed, this.forest(features.rows, classes));
    return { composed, texts, logits: groupDot(features, texts, this.logitScale) };
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
    const forests = classes.end - classes.start < this.classes ? this.#partForests : this.#forests;
    return forests.get(`${images} ${classes.start} ${classes.end}`, () => {
      const sets = this.perImage ? images : this.prompts.shape[0]!;
      return new Forest(this.engine, this.frozen, this.#trees(images, classes), sets);
    });
  }

  /** One tree per image, or per class in mode `cs`, or a single one. */
  #trees(images: number, { start, end }: ClassRange): PromptTree[] {
    const classes = Array.from({ length: end - start }, (_, i) => start + i);
    if (this.options.mode === 'cs') return classes.map((c) => ({ set: c, classes: [c] }));
    return Array.from({ length: this.perImage ? images : 1 }, (_, set) => ({ set, classes }));
  }

  /** Frees the prompts, but not the tower. */
  [Symbol.dispose](): void {
    this.#forests[Symbol.dispose]();
    this.#partForests[Symbol.dispose]();
    this.zeroGrad();
    for (const parameter of this.parameters) parameter.dispose();
    this.frozenTensor.dispose();
    this.anchors?.dispose();
  }
}
