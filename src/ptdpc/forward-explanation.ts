/**
 * An image's way from its feature to the probabilities, with everything between (Eq. 3); and prompts as another mode or preset would use them,
 * to see what each part of the method does.
 */
import { planBatch } from './budget.js';
import { softmaxRows } from './evaluate.js';
import { finiteLogits } from './features.js';
import { PRESETS, promptCount, type TuningOptions } from './options.js';
import type { PromptModel } from './prompt-model.js';
import type { PromptsFile } from './prompts-file.js';

/** What `PromptModel.logits` computes for one image, on the host. `prompts` is the number of classes, or 1; all matrices are row-major. */
export interface ForwardExplanation {
  /** The normalised feature f, [width]. */
  readonly feature: Float32Array;
  /** The learned tokens p[i][j], [prompts, tokens, width]. */
  readonly prompts: Float32Array;
  /** Of `prompts`. */
  readonly shape: readonly number[];
  /** cos(f, p[i][j]), [prompts, tokens]; null in the modes `cs` and `none`. */
  readonly cosines: Float32Array | null;
  /** w[i][j], [prompts, tokens]; null in the modes `cs` and `none`. */
  readonly weights: Float32Array | null;
  /** The composed prompt pd[j], [tokens, width]; null in the modes `cs` and `none`. */
  readonly composed: Float32Array | null;
  /** Normalised text features, [classes, width]. */
  readonly texts: Float32Array;
  /** exp(logit_scale) or what the options have instead. */
  readonly logitScale: number;
  /** logitScale cos(f, text i), [classes]. */
  readonly logits: Float32Array;
  /** Softmax of the logits, [classes]. */
  readonly probabilities: Float32Array;
}

/**
 * Explains one image by its normalised feature [width]. `memory` in bytes. `weights`, [prompts, tokens], take the place of the image's own in a
 * mode that has weights. Throws InputError if the memory does not hold one prompt, NonFiniteError if a logit is NaN or infinite.
 */
export async function explainForward(
  model: PromptModel,
  feature: Float32Array,
  memory: number,
  weights?: Float32Array,
): Promise<ForwardExplanation> {
  const { engine, classes, logitScale } = model;
  const { shape } = model.prompts;
  const [prompts = 0, tokens = 0, width = 0] = shape;
  using _limit = engine.workWithin(memory);
  const texts = new Float32Array(classes * width);
  const logits = new Float32Array(classes);
  let shared: Pick<ForwardExplanation, 'cosines' | 'weights' | 'composed'> = {
    cosines: null,
    weights: null,
    composed: null,
  };
  for (const run of planBatch(model, 1, memory, model.tower.inferenceBytesPerRow).classRuns) {
    const pass = engine.scope(() =>
      model.forward(engine.tensor(feature, [1, width]), {
        classes: run,
        weights: weights && engine.tensor(weights, [1, prompts, tokens]),
      }),
    );
    const read = async (tensor: (typeof pass)[keyof typeof pass]) => (tensor ? await tensor.read() : null);
    try {
      texts.set(await pass.texts.read(), run.start * width);
      logits.set(await pass.logits.read(), run.start);
      shared = {
        cosines: await read(pass.cosines),
        weights: await read(pass.weights),
        composed: await read(pass.composed),
      };
    } finally {
      // Weights and cosines may be one tensor.
      for (const tensor of new Set(Object.values(pass))) tensor?.dispose();
    }
  }
  return {
    feature,
    prompts: await model.prompts.read(),
    shape,
    ...shared,
    texts,
    logitScale,
    logits: finiteLogits(logits),
    probabilities: softmaxRows(logits, classes),
  };
}

/** What to use prompts as. What is left out stays as the prompts were tuned. */
export type PromptsChange = Partial<Pick<TuningOptions, 'mode' | 'preset'>>;

/**
 * Prompts as another mode or preset would use them, without further tuning.
 *
 * - mode: where all classes share a prompt, it is the mean of the classes' prompts; where each class has one, all get the shared one.
 * - preset: its weight s, and whether the start token is one of the learned tokens. A start token that was not learned is `sot`, the frozen
 *   embedding [width]; one that was learned is left out for a preset that keeps it frozen.
 */
export function changedPrompts<F extends Pick<PromptsFile, 'options' | 'classes' | 'shape' | 'prompts'>>(
  file: F,
  { mode = file.options.mode, preset = file.options.preset }: PromptsChange,
  sot: Float32Array,
): F {
  const same = preset === file.options.preset;
  const { weight, learnSot } = same ? file.options : PRESETS[preset];
  const [sets = 0, tokens = 0, width = 0] = file.shape;
  const count = promptCount(mode, file.classes.length);
  const skip = Number(file.options.learnSot && !learnSot);
  const add = Number(!file.options.learnSot && learnSot);
  const own = tokens - skip;
  const prompts = new Float32Array(count * (own + add) * width);
  for (let set = 0; set < count; set++) {
    const at = set * (own + add) * width;
    if (add) prompts.set(sot, at);
    const learned = count === sets ? setOf(file.prompts, sets, set) : mean(file.prompts, sets);
    prompts.set(learned.subarray(skip * width), at + add * width);
  }
  const options = { ...file.options, mode, preset, weight, learnSot };
  return { ...file, options, shape: [count, own + add, width], prompts };
}

function setOf(prompts: Float32Array, sets: number, set: number): Float32Array {
  const size = prompts.length / sets;
  return prompts.subarray(set * size, (set + 1) * size);
}

function mean(prompts: Float32Array, sets: number): Float32Array {
  const size = prompts.length / sets;
  return Float32Array.from({ length: size }, (_, d) => {
    let sum = 0;
    for (let set = 0; set < sets; set++) sum += prompts[set * size + d]!;
    return sum / sets;
  });
}
