/**
 * Every option of prompt tuning and the two presets: the paper's text and the authors' published code differ. `TUNING_FIELDS` describes
 * each option once; its type, its command-line flag, the check of files, the page's form and the table in docs/method.md come from there.
 */
import * as v from 'valibot';
import { shortened } from '../clip/checkpoint/quoted.js';
import { InputError } from '../errors.js';

/** The numbers that an option takes. */
export interface NumberRange {
  /** The smallest, or a bound above which all lie if `above` is set. */
  readonly least: number;
  readonly above?: true;
  readonly most?: number;
  readonly whole?: true;
}

/** What people read about an option. */
export interface OptionText {
  /** As commander takes it: `--epochs <n>`; of a switch its positive form. */
  readonly flag: string;
  readonly help: string;
  /** Its name in a form. */
  readonly label?: string;
  /** What each of its values means. */
  readonly choices?: Readonly<Record<string, string>>;
  readonly range?: NumberRange;
}

/** An option: what it takes, and what people read about it (`optionText`). */
export type OptionField<T = unknown> = v.GenericSchema<T, T>;

/** The text of an option of `TUNING_FIELDS` or `PROBE_FIELDS`. */
export function optionText(field: OptionField): OptionText {
  return v.getMetadata(field) as unknown as OptionText;
}

/** An option of a few names. */
export function oneOf<const T extends string>(names: readonly T[], text: OptionText) {
  return v.pipe(v.picklist(names, names.join(' or ')), v.metadata({ ...text }));
}

/** An option that is a number. */
export function numberIn(range: NumberRange, text: OptionText) {
  const { least, above, most, whole } = range;
  const kind = whole ? 'a whole number' : 'a number';
  const expected = above ? `${kind} above ${least}` : `${kind} from ${least}${most === undefined ? '' : ` to ${most}`}`;
  const holds = (value: number) =>
    (whole ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
    (above ? value > least : value >= least) &&
    value <= (most ?? Number.MAX_VALUE);
  return v.pipe(v.number(expected), v.check(holds, expected), v.metadata({ ...text, range }));
}

const oneWord = 'at least one word';
const noPlace = 'words without {}, since the class name always comes last in a prompt';

/** Every option of prompt tuning. */
export const TUNING_FIELDS = {
  preset: oneOf(['paper', 'official'], {
    flag: '--preset <name>',
    help: "paper: follows the text; official: follows the authors' code",
    choices: { paper: 'SGD, 10 epochs', official: 'AdamW, 25 epochs' },
  }),
  /** Which information composes a prompt (paper, Table 2). */
  mode: oneOf(['both', 'cs', 'is', 'none'], {
    flag: '--mode <mode>',
    help: 'class-specific (cs) and instance-specific (is) prompts: both, either, or none',
    choices: {
      both: 'class + picture (the paper)',
      cs: 'class only',
      is: 'picture only',
      none: 'one for all',
    },
  }),
  /** Words before the class name; the learned tokens start from its token embeddings. */
  template: v.pipe(
    v.string(oneWord),
    v.check((words) => !words.includes('{}'), noPlace),
    v.check((words) => words.trim() !== '', oneWord),
    v.metadata({
      flag: '--template <words>',
      help: 'words before the class name: the initial values of the learned tokens',
    }),
  ),
  /**
   * Standard deviation of normal noise on that start, as a share of each token's root mean square; drawn by `seed`. The paper has none,
   * and in mode `both` its classes' prompts then stay equal (docs/method.md).
   */
  initNoise: numberIn(
    { least: 0 },
    {
      flag: '--init-noise <share>',
      help: 'normal noise on the initial tokens, as a share of their root mean square',
      label: 'Initial noise',
    },
  ),
  /** s in w = s(cos(f, p)): the cosine itself (Eq. 3), or (cos + 1) / 2. */
  weight: oneOf(['cosine', 'half'], {
    flag: '--weight <form>',
    help: 'weight of a token: the cosine, or half of (cosine + 1)',
  }),
  /** Also learn the start-of-text token, in front of the template's. */
  learnSot: v.pipe(
    v.boolean('true or false'),
    v.metadata({ flag: '--learn-sot', help: 'also learn the start-of-text token' }),
  ),
  /** Cross-entropy of the logits, or of softmax(logits), or the Kullback-Leibler divergence from the distribution of people's votes. */
  loss: oneOf(['ce', 'double-softmax', 'kl'], {
    flag: '--loss <loss>',
    help: 'cross-entropy of the logits (ce), or of softmax(logits), or the divergence from the votes of people (kl), for data sets that have them',
  }),
  /** Factor of the cosines: the checkpoint's own, or a number. */
  logitScale: v.pipe(
    v.custom<'clip' | number>(
      (scale) => scale === 'clip' || (typeof scale === 'number' && scale > 0 && Number.isFinite(scale)),
      'clip or a number above 0',
    ),
    v.metadata({ flag: '--logit-scale <x>', help: "factor of the cosines: a number, or clip for the checkpoint's" }),
  ),
  optimizer: oneOf(['sgd', 'adamw'], { flag: '--optimizer <name>', help: 'optimiser' }),
  learningRate: numberIn(
    { least: 0, above: true },
    { flag: '--lr <x>', help: 'learning rate', label: 'Learning rate' },
  ),
  /** StepLR: every `stepSize` epochs the learning rate is multiplied by `gamma`. */
  stepSize: numberIn(
    { least: 1, whole: true },
    { flag: '--step-size <n>', help: 'epochs between decays of the learning rate' },
  ),
  gamma: numberIn(
    { least: 0, above: true },
    { flag: '--gamma <x>', help: 'factor of the learning rate every step-size epochs' },
  ),
  epochs: numberIn(
    { least: 1, whole: true },
    { flag: '--epochs <n>', help: 'passes over the training images', label: 'Epochs' },
  ),
  batchSize: numberIn(
    { least: 1, whole: true },
    { flag: '--batch-size <n>', help: 'images per step', label: 'Batch size' },
  ),
  shuffle: v.pipe(
    v.boolean('true or false'),
    v.metadata({
      flag: '--shuffle',
      help: 'visit the images in a new random order every epoch, not by class and file name',
    }),
  ),
  /** Seeds are 32 bits wide. */
  seed: numberIn(
    { least: 0, most: 2 ** 32 - 1, whole: true },
    { flag: '--seed <n>', help: 'seed of the image order and of the initial noise', label: 'Seed' },
  ),
  /**
   * Which epoch's prompts a training ends with: the last one's, or those of the best validation accuracy (of equals the first), as the
   * authors' code keeps them.
   */
  keep: oneOf(['last', 'best'], {
    flag: '--keep <epoch>',
    help: "epoch whose prompts are kept: the last, or the best on the validation images as in the authors' code",
  }),
};

/** The options that `Fields` describe. */
export type OptionsOf<Fields extends Readonly<Record<string, OptionField>>> = {
  [name in keyof Fields]: v.InferOutput<Fields[name]>;
};

/** Every option of prompt tuning. `tuningOptions` makes them from a preset. */
export interface TuningOptions extends OptionsOf<typeof TUNING_FIELDS> {}

/** Name of a preset: as in the paper, or as in its authors' code. */
export type Preset = TuningOptions['preset'];

/** Which information composes a prompt (paper, Table 2). */
export type Mode = TuningOptions['mode'];
/** All modes. */
export const MODES: readonly Mode[] = TUNING_FIELDS.mode.options;

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

/** Momentum of SGD. */
export const SGD_MOMENTUM = 0.9;
/** PyTorch's defaults, which the authors' code leaves as they are. */
export const ADAMW = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 } as const;

/** What both presets have. */
export const SHARED_DEFAULTS = {
  mode: 'both',
  initNoise: 0,
  logitScale: 'clip',
  batchSize: 64,
  shuffle: true,
  seed: 0,
  keep: 'last',
} as const satisfies Partial<TuningOptions>;

/** The two presets. */
export const PRESETS: Readonly<Record<Preset, TuningOptions>> = {
  /** Sections 4 and 5.2 of the paper; of its three learning rates the first. */
  paper: {
    ...SHARED_DEFAULTS,
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
    ...SHARED_DEFAULTS,
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
  return checkedOptions(TUNING_FIELDS, { ...PRESETS[preset], ...overrides, preset });
}

/** `options` as `fields` describe them. Throws InputError naming the flag of the first that is out of range. */
export function checkedOptions<Fields extends Readonly<Record<string, OptionField>>>(
  fields: Fields,
  options: OptionsOf<Fields>,
): OptionsOf<Fields> {
  const { success, output, issues } = v.safeParse(v.object(fields), options, { abortEarly: true });
  if (success) return output as OptionsOf<Fields>;
  const [{ message, path, received, input }] = issues;
  const field = fields[String(path?.[0].key)];
  throw new InputError(
    `${field ? flagOf(field) : 'options'}: expected ${message}, found ${typeof input === 'number' ? input : shortened(received)}`,
  );
}

/** `--epochs` */
export function flagOf(field: OptionField): string {
  return optionText(field).flag.replace(/ .*/, '');
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

/** Tuning options in a file. */
export const tuningFileSchema = v.object({
  ...TUNING_FIELDS,
  // Files of earlier versions lack them.
  initNoise: v.optional(TUNING_FIELDS.initNoise, 0),
  keep: v.optional(TUNING_FIELDS.keep, 'last'),
});

/** Tuning options from a file; undefined if the value is something else. */
export function parseTuningOptions(value: unknown): TuningOptions | undefined {
  const { success, output } = v.safeParse(tuningFileSchema, value, { abortEarly: true });
  return success ? output : undefined;
}

/** Learning rate of an epoch (counted from 0): PyTorch's StepLR, stepped once per epoch. */
export function stepLearningRate(
  options: Pick<TuningOptions, 'learningRate' | 'stepSize' | 'gamma'>,
  epoch: number,
): number {
  return options.learningRate * options.gamma ** Math.floor(epoch / options.stepSize);
}

const OF_TUNING = ['optimizer', 'learningRate', 'stepSize', 'gamma', 'epochs', 'batchSize', 'shuffle', 'seed'] as const;

/** Every option of a probe's training: those of prompt tuning that apply, and the regularisation. */
export const PROBE_FIELDS = {
  ...v.pick(v.object(TUNING_FIELDS), OF_TUNING).entries,
  seed: v.pipe(TUNING_FIELDS.seed, v.metadata({ help: 'seed of the image order and of the initial weights' })),
  /** Factor of half the squared norm of the weights in the loss; the bias is free. */
  l2: numberIn({ least: 0 }, { flag: '--l2 <x>', help: 'factor of half the squared norm of the weights in the loss' }),
};

/** How a probe is trained. */
export interface ProbeOptions extends OptionsOf<typeof PROBE_FIELDS> {}

/** Section 5.2 of the paper, without regularisation. */
export const PROBE_DEFAULTS: ProbeOptions = v.parse(v.object(PROBE_FIELDS), { ...PRESETS.paper, l2: 0 });

/** The defaults with some options replaced. Throws InputError if an option is out of range. */
export function probeOptions(overrides: Partial<ProbeOptions> = {}): ProbeOptions {
  return checkedOptions(PROBE_FIELDS, { ...PROBE_DEFAULTS, ...overrides });
}

/** `joint`: projected into the space that images and texts share; `pooled`: the tower's output before that. */
export const FEATURE_KINDS = ['pooled', 'joint'] as const;
/** One of `FEATURE_KINDS`. */
export type FeatureKind = (typeof FEATURE_KINDS)[number];

/** How an encoder's pictures are prepared: as its `own` files or its kind say, or as OpenAI's CLIP prepares them. */
export const PREPROCESS_CHOICES = ['own', 'clip'] as const;
/** One of `PREPROCESS_CHOICES`. */
export type PreprocessChoice = (typeof PREPROCESS_CHOICES)[number];

/** Nearest words of an embedding by cosine, or by Euclidean distance. */
export const WORD_METRICS = ['cosine', 'euclidean'] as const;
/** One of `WORD_METRICS`. */
export type WordMetric = (typeof WORD_METRICS)[number];

/** Tokens of the vocabulary that `explain` can skip: SOT and EOT; parts of words; the initial tokens of the prompt. */
export const SKIPPABLE_WORDS = ['special', 'fragments', 'template'] as const;
/** One of `SKIPPABLE_WORDS`. */
export type SkippableWords = (typeof SKIPPABLE_WORDS)[number];
