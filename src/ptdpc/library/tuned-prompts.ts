/** Tuned prompts on their model: predicting with them, reading them, saving them. */
import { InputError } from '../../errors.js';
import type { Evaluation } from '../evaluate.js';
import {
  type ExplainOptions,
  explainImages,
  explainPrompts,
  type ImageExplanation,
  type PromptExplanation,
} from '../explain.js';
import { explainForward, type ForwardExplanation } from '../forward-explanation.js';
import type { TuningOptions } from '../options.js';
import type { PromptModel } from '../prompt-model.js';
import { type PromptText, promptText } from '../prompt-text.js';
import { type ClassName, encodePrompts, type PromptsFile } from '../prompts-file.js';
import { type LabelledFeatures, predictLogits } from '../step.js';
import { evaluateOn } from '../train.js';
import type { ClipModel } from './clip-model.js';
import type { ModelSource } from './model-source.js';
import { type Predictions, predictionsOf } from './predictions.js';

/** Prompts from `ClipModel.tune` or `ClipModel.restorePrompts`. Dispose them before their model. */
export class TunedPrompts implements Disposable {
  constructor(
    private readonly clip: ClipModel,
    /** The prompts on the device, for your own computations. */
    readonly model: PromptModel,
    /** The classes, in the order of labels. */
    readonly classes: readonly ClassName[],
    /** How they were tuned. */
    readonly options: TuningOptions,
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
  async file(): Promise<PromptsFile> {
    const { classes, options, epochs, model } = this;
    const { shape } = model.prompts;
    return {
      classes,
      options,
      epochs,
      shape,
      prompts: await model.prompts.read(),
      modelHash: await this.clip.source.hash(),
    };
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

/** The words of prompts, as their model reads them. Throws InputError if the prompts do not fit its width or the template's tokens. */
export async function textOfPrompts(
  { options, classes, shape }: Pick<PromptsFile, 'options' | 'classes' | 'shape'>,
  model: ModelSource & { readonly directory?: string },
): Promise<PromptText> {
  const { context, width } = model.config.text;
  const words = classes.map(({ word }) => word);
  const text = promptText(await model.tokenizer(), options.template, words, context);
  const expected = [shape[0], text.template.length + Number(options.learnSot), width];
  if (shape.join() !== expected.join()) {
    throw new InputError(
      `prompts of shape [${shape.join(', ')}] where the template and ${model.directory ?? model.clip.name} need ` +
        `[${expected.join(', ')}]: another merges.txt than in training, or a damaged run`,
    );
  }
  return text;
}
