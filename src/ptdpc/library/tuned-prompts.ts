/** Tuned prompts on their model: predicting with them, reading them, saving them. */
import { InputError } from '../../errors.js';
import { META_NET } from '../../learners/prompts/cocoop.js';
import { type PromptOptions, promptSetup } from '../../learners/prompts/index.js';
import type { Evaluation } from '../evaluate.js';
import {
  type ExplainOptions,
  explainImages,
  explainPrompts,
  type ImageExplanation,
  type PromptExplanation,
} from '../explain.js';
import { explainForward, type ForwardExplanation } from '../forward-explanation.js';
import type { LabelledFeatures } from '../labelled-features.js';
import { partsOf } from '../learned-numbers.js';
import type { TuningOptions } from '../options.js';
import type { PromptModel } from '../prompt-model.js';
import { type PromptText, promptText } from '../prompt-text.js';
import {
  type AnyPromptsFile,
  type ClassName,
  encodePrompts,
  type NamedTensor,
  type PromptsFile,
} from '../prompts-file.js';
import { predictLogits } from '../step.js';
import { evaluateOn } from '../train.js';
import type { ClipModel } from './clip-model.js';
import type { ModelSource } from './model-source.js';
import { type Predictions, predictionsOf } from './predictions.js';

/** Prompts from `ClipModel.tune` or `ClipModel.restorePrompts`. Dispose them before their model. */
export class TunedPrompts<Options extends PromptOptions = TuningOptions> implements Disposable {
  constructor(
    private readonly clip: ClipModel,
    /** The prompts on the device, for your own computations. */
    readonly model: PromptModel,
    /** The classes, in the order of labels. */
    readonly classes: readonly ClassName[],
    /** How they were tuned. */
    readonly options: Options,
    /** Epochs of training. */
    readonly epochs: number,
  ) {}

  /** Class words, in the order of labels. */
  get words(): string[] {
    return this.classes.map(({ word }) => word);
  }

  /** Classifies images by their features [images, width], as `ClipModel.embedImages` gives them. */
  async predict(features: Float32Array): Promise<Predictions> {
    return predictionsOf(this.words, await predictLogits(this.model, features, this.clip.memory));
  }

  /** Evaluates the prompts on labelled images. */
  evaluate(images: LabelledFeatures): Promise<Evaluation> {
    return evaluateOn(this.model, images, this.clip.memory);
  }

  /** For images by their features [images, width]: the probabilities, and the weights w[i][j] of class i and token j. */
  explain(features: Float32Array): Promise<ImageExplanation[]> {
    return explainImages(this.model, features, this.clip.memory);
  }

  /**
   * For one image by its feature [width]: every step from there to the probabilities. `weights` [prompts, tokens] replace the image's own, in
   * modes that have weights.
   */
  explainForward(feature: Float32Array, weights?: Float32Array): Promise<ForwardExplanation> {
    return explainForward(this.model, feature, this.clip.memory, weights);
  }

  /** The nearest tokens of the vocabulary to every learned token. Default: five by cosine, none excluded. */
  async nearestWords(options: Partial<ExplainOptions> = {}): Promise<PromptExplanation> {
    const { engine, source, tokenEmbeddings, memory } = this.clip;
    const defaults = { top: 5, metric: 'cosine', skip: [], memory } as const;
    const file = await this.file();
    return explainPrompts(engine, file, await source.tokenizer(), tokenEmbeddings, { ...defaults, ...options });
  }

  /** The prompts on the host, with what is needed to use them again. */
  async file(): Promise<PromptsFile<Options>> {
    const { classes, options, epochs, model } = this;
    const modelHash = await this.clip.source.hash();
    return { classes, options, epochs, modelHash, ...learnedTensors(model, await model.read()) };
  }

  /** The same as the bytes of a prompts.safetensors, which `ptdpc` and `ClipModel.restorePrompts` read. */
  async save(): Promise<Uint8Array> {
    return encodePrompts(await this.file());
  }

  /** Frees the prompts, not the model. */
  [Symbol.dispose](): void {
    this.model[Symbol.dispose]();
  }
}

/** Learned numbers of a model, as `PromptModel.read` gives them, as the tensors of a file. */
export function learnedTensors(
  { parameters }: PromptModel,
  learned: Float32Array,
): Pick<PromptsFile, 'shape' | 'prompts' | 'metaNet'> {
  const [prompts, ...others] = partsOf(learned, parameters);
  const metaNet = others.map((data, i): NamedTensor => [META_NET[i]!, parameters[i + 1]!.shape, data]);
  return { shape: parameters[0]!.shape, prompts: prompts!, ...(metaNet.length > 0 && { metaNet }) };
}

/** The words of prompts, as their model reads them. Throws InputError if the prompts do not fit its width or the template's tokens. */
export async function textOfPrompts(
  { options, classes, shape }: Pick<AnyPromptsFile, 'options' | 'classes' | 'shape'>,
  model: ModelSource & { readonly directory?: string },
): Promise<PromptText> {
  const { context, width } = model.config.text;
  const words = classes.map(({ word }) => word);
  const { layout, model: how } = promptSetup(options);
  const text = promptText(await model.tokenizer(), layout, words, context);
  const expected = [shape[0], text.template.length + Number(how.learnSot), width];
  if (shape.join() !== expected.join()) {
    throw new InputError(
      `prompts of shape [${shape.join(', ')}] where the template and ${model.directory ?? model.clip.name} need ` +
        `[${expected.join(', ')}]: another merges.txt than in training, or a damaged run`,
    );
  }
  return text;
}
