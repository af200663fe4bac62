/** Every choice of prompt tuning, and the two presets: the paper's text and the authors' published code differ. */
import { InputError } from '../errors.js';

/**
 * Which information composes a prompt (paper, Table 2): `both` a prompt per class, weighted by the image; `cs` class-specific only;
 * `is` instance-specific only; `none` one shared prompt (plain prefix tuning).
 */
export type Mode = 'both' | 'cs' | 'is' | 'none';
/** All modes. */
export const MODES: readonly Mode[] = ['both', 'cs', 'is', 'none'];

/** Name of a preset: as in the paper, or as in its authors' code. */
export type Preset = 'paper' | 'official';

/** Every choice of prompt tuning. `tuningOptions` makes one from a preset. */
export interface TuningOptions {
  preset: Preset;
  mode: Mode;
  /** Words before the class word; the learned tokens start from its token embeddings. */
  template: string;
  /**
   * Standard deviation of normal noise on that start, as a share of each token's root mean square; drawn by `seed`. The paper has none,
   * and in mode `both` its classes' prompts then stay equal (docs/method.md).
   */
  initNoise: number;
  /** s in w = s(cos(f, p)): the cosine itself (Eq. 3), or (cos + 1) / 2. */
  weight: 'cosine' | 'half';
  /** Learn the start-of-text token too, in front of the template's. */
  learnSot: boolean;
  /** Cross-entropy on logits, or on softmax(logits). */
  loss: 'ce' | 'double-softmax';
  /** Factor of the cosines: the checkpoint's own, or a number. */
  logitScale: 'clip' | number;
  optimizer: 'sgd' | 'adamw';
  learningRate: number;
  /** StepLR: every `stepSize` epochs the learning rate is multiplied by `gamma`. */
  stepSize: number;
  gamma: number;
  epochs: number;
  batchSize: number;
  shuffle: boolean;
  seed: number;
  /**
   * Which epoch's prompts a training ends with: the last one's, or those of the best validation accuracy (of equals the first), as the
   * authors' code keeps them.
   */
  keep: 'last' | 'best';
}

/** Momentum of SGD. */
export const SGD_MOMENTUM = 0.9;
/** PyTorch's defaults, which the authors' code leaves as they are. */
export const ADAMW = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 } as const;

const COMMON = {
  mode: 'both',
  initNoise: 0,
  logitScale: 'clip',
  batchSize: 64,
  shuffle: true,
  seed: 0,
  keep: 'last',
} as const;

/** The two presets. */
export const PRESETS: Readonly<Record<Preset, TuningOptions>> = {
  /** Sections 4 and 5.2 of the paper; of its three learning rates the first. */
  paper: {
    ...COMMON,
    preset: 'paper',
    template: 'a photo seems to express a feeling of',
    weight: 'cosine',
    learnSot: false,
    loss: 'ce',
    optimizer: 'sgd',
    learningRate: 0.1,
    stepSize: 3,
    gamma: 0.9,
    epochs: 10,
  },
  /** What the authors' code does. */
  official: {
    ...COMMON,
    preset: 'official',
    template: 'a photo of',
    weight: 'half',
    learnSot: true,
    loss: 'double-softmax',
    optimizer: 'adamw',
    learningRate: 0.01,
    stepSize: 6,
    gamma: 0.1,
    epochs: 25,
  },
};

/** A preset with some options replaced. Throws InputError if an option is out of range. */
export function tuningOptions(preset: Preset, overrides: Partial<TuningOptions> = {}): TuningOptions {
  const options = { ...PRESETS[preset], ...overrides, preset };
  requireWhole('--epochs', options.epochs);
  requireWhole('--batch-size', options.batchSize);
  requireWhole('--step-size', options.stepSize);
  requireAbove('--lr', options.learningRate);
  requireAbove('--gamma', options.gamma);
  if (!(options.initNoise >= 0 && Number.isFinite(options.initNoise)))
    throw new InputError(`--init-noise: expected a number from 0, found ${options.initNoise}`);
  if (options.logitScale !== 'clip') requireAbove('--logit-scale', options.logitScale);
  if (options.template.includes('{}'))
    throw new InputError('--template: the class word always comes last in a tuned prompt; leave {} out');
  if (options.template.trim() === '') throw new InputError('--template: expected at least one word, found none');
  return options;
}

/**
 * What to say of a training whose classes' prompts can never differ: in mode `both`, equal prompts get equal gradients (docs/method.md).
 * Undefined if they can.
 */
export function equalPromptsNote(
  { mode, initNoise }: Pick<TuningOptions, 'mode' | 'initNoise'>,
  classes?: number,
): string | undefined {
  if (mode !== 'both' || initNoise > 0) return undefined;
  return (
    `mode both without initial noise: the prompts of all ${classes === undefined ? '' : `${classes} `}classes start equal and stay ` +
    `equal, so this trains ${classes === undefined ? '' : `${classes} `}copies of one prompt; --init-noise 0.3 lets them differ`
  );
}

/** What an option that came later stands at in files from before it. */
const LATER = { initNoise: 0, keep: 'last' } as const;

/** Tuning options from a file; undefined if the value is none. */
export function parseTuningOptions(value: unknown): TuningOptions | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const options = { ...LATER, ...value } as TuningOptions;
  const sameKind = Object.entries(PRESETS.paper).every(
    ([name, like]) => name === 'logitScale' || typeof Reflect.get(options, name) === typeof like,
  );
  if (!sameKind || !Object.hasOwn(PRESETS, options.preset) || !MODES.includes(options.mode)) return undefined;
  if (!['cosine', 'half'].includes(options.weight) || !['ce', 'double-softmax'].includes(options.loss))
    return undefined;
  if (!['sgd', 'adamw'].includes(options.optimizer) || !Number.isSafeInteger(options.seed)) return undefined;
  if (!['last', 'best'].includes(options.keep)) return undefined;
  try {
    return tuningOptions(options.preset, options);
  } catch {
    return undefined;
  }
}

/** Learning rate of an epoch (counted from 0): PyTorch's StepLR, stepped once per epoch. */
export function stepLearningRate(
  options: Pick<TuningOptions, 'learningRate' | 'stepSize' | 'gamma'>,
  epoch: number,
): number {
  return options.learningRate * options.gamma ** Math.floor(epoch / options.stepSize);
}

function requireWhole(option: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new InputError(`${option}: expected a whole number from 1, found ${value}`);
}

function requireAbove(option: string, value: number): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw new InputError(`${option}: expected a number above 0, found ${value}`);
}
