/** What the learners on features declare about themselves. Nothing here loads the engine: the help of commands is made of it. */
import * as v from 'valibot';
import { type NumberRange, numberIn, type OptionText, optionText, TUNING_FIELDS } from '../../ptdpc/options.js';
import type { LearnerFacts, OptionFields } from '../learner.js';
import { CONTEXT_FIELDS, GUIDE_FIELDS } from '../prompts/context.js';

/** Facts about a learner on features. */
export interface FeatureFacts<Fields extends OptionFields = OptionFields> extends LearnerFacts<Fields> {
  readonly space: 'features';
  /** Epochs on so many images of each class, where the published trainings depend on it. */
  publishedEpochs?(shots: number): number;
}

/** A number, or `auto`: chosen on the validation images. */
function numberOrAuto(range: NumberRange, text: OptionText) {
  const number = numberIn(range, text);
  const expected = `auto or ${number.pipe[0].message}`;
  return v.pipe(
    v.custom<'auto' | number>((value) => value === 'auto' || v.is(number, value), expected),
    v.metadata({ ...text, range }),
  );
}

/** Of all learners: the text of a class, where those begin that use texts, and what CLIP without training compares with; and the seed. */
const COMMON_FIELDS = {
  zeroShotTemplate: GUIDE_FIELDS.zeroShotTemplate,
  seed: v.pipe(
    TUNING_FIELDS.seed,
    v.metadata({
      ...optionText(TUNING_FIELDS.seed),
      help: 'seed of the choice of --shots, of the image order and of initial weights',
    }),
  ),
};
/** The prompt is CLIP's own for ImageNet. */
const COMMON_DEFAULTS = { zeroShotTemplate: 'a photo of a {}.', seed: 0 };

/** Those of a training by gradient. */
const DESCENT_FIELDS = {
  learningRate: TUNING_FIELDS.learningRate,
  epochs: TUNING_FIELDS.epochs,
  batchSize: TUNING_FIELDS.batchSize,
};

const { weightDecay } = CONTEXT_FIELDS;

/** Facts about the linear probe of CLIP's paper. */
export const LINEAR_PROBE = feature({
  name: 'linear-probe',
  title: 'Linear probe',
  learns: 'a linear layer on the image feature, by logistic regression',
  paper: {
    text: 'Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021',
    url: 'https://arxiv.org/abs/2103.00020',
  },
  fields: {
    ...COMMON_FIELDS,
    c: numberOrAuto(
      { least: 0, above: true },
      {
        flag: '--c <x>',
        help: 'weight of the cross-entropy beside the L2 penalty, or auto: chosen on the validation images',
      },
    ),
    iterations: numberIn(
      { least: 1, whole: true },
      { flag: '--iterations <n>', help: 'iterations of L-BFGS, at most, or steps of LP++' },
    ),
  },
  defaults: { ...COMMON_DEFAULTS, c: 'auto', iterations: 1000 },
  sources: { c: 'appendix A.3, on validation images; without any, 31.6', iterations: 'appendix A.3' },
  parameters: ({ classes, joint }) => classes * (joint + 1),
});

const TIP_PAPER = {
  text: 'Zhang et al., Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification, ECCV 2022',
  url: 'https://arxiv.org/abs/2207.09519',
};
const RATIO_FIELDS = {
  alpha: numberOrAuto(
    { least: 0 },
    { flag: '--alpha <x>', help: "factor of the cache's logits, or auto: chosen on the validation images" },
  ),
  beta: numberOrAuto(
    { least: 0, above: true },
    { flag: '--beta <x>', help: 'sharpness of the cache, or auto: chosen on the validation images' },
  ),
};
const RATIO_DEFAULTS = { alpha: 'auto', beta: 'auto' } as const;
const RATIO_SOURCES = {
  alpha: 'published grid on validation images (utils.py, configs); without any 1.17, where the published code begins',
  beta: 'published grid on validation images (utils.py, configs); without any 1, where the published code begins',
};

/** Facts about Tip-Adapter. */
export const TIP_ADAPTER = feature({
  name: 'tip-adapter',
  title: 'Tip-Adapter',
  learns: 'nothing: it keeps the features and labels of the training images as a cache, whose two ratios are chosen',
  paper: TIP_PAPER,
  fields: { ...COMMON_FIELDS, ...RATIO_FIELDS },
  defaults: { ...COMMON_DEFAULTS, ...RATIO_DEFAULTS },
  sources: RATIO_SOURCES,
  parameters: () => 0,
});

/** Facts about Tip-Adapter-F. */
export const TIP_ADAPTER_F = feature({
  name: 'tip-adapter-f',
  title: 'Tip-Adapter-F',
  learns: 'the keys of the cache: a feature for each training image, which starts as its own',
  paper: TIP_PAPER,
  fields: { ...COMMON_FIELDS, ...RATIO_FIELDS, ...DESCENT_FIELDS },
  defaults: { ...COMMON_DEFAULTS, ...RATIO_DEFAULTS, learningRate: 1e-3, epochs: 20, batchSize: 256 },
  sources: {
    ...RATIO_SOURCES,
    learningRate: 'published configurations: AdamW with epsilon 1e-4, half a cosine by steps (main.py)',
    epochs: 'published configurations',
    batchSize: 'main.py',
  },
  parameters: ({ classes, joint, shots = 1 }) => classes * shots * joint,
});

const AS_COOP = "clip_adapter.py is a trainer of CoOp's code and was published without a configuration: this is CoOp's";

/** Numbers of CLIP-Adapter's bottleneck: a quarter of the feature's. */
export const hiddenWidth = (joint: number): number => Math.floor(joint / 4);

/** Facts about CLIP-Adapter. */
export const CLIP_ADAPTER = feature({
  name: 'clip-adapter',
  title: 'CLIP-Adapter',
  learns: 'a bottleneck of two layers on the image feature, blended with it',
  paper: {
    text: 'Gao et al., CLIP-Adapter: Better Vision-Language Models with Feature Adapters, IJCV 2024',
    url: 'https://arxiv.org/abs/2110.04544',
  },
  fields: {
    ...COMMON_FIELDS,
    ratio: numberIn(
      { least: 0, most: 1 },
      { flag: '--ratio <x>', help: "share of the adapter's output in the feature" },
    ),
    ...DESCENT_FIELDS,
    weightDecay,
  },
  defaults: {
    ...COMMON_DEFAULTS,
    ...{ ratio: 0.2, learningRate: 2e-3, epochs: 200, batchSize: 32, weightDecay: 5e-4 },
  },
  sources: {
    ratio: 'clip_adapter.py',
    ...{ learningRate: AS_COOP, epochs: AS_COOP, batchSize: AS_COOP, weightDecay: AS_COOP },
  },
  parameters: ({ joint }) => 2 * joint * hiddenWidth(joint),
});

/** Facts about TaskRes. */
export const TASKRES = feature({
  name: 'taskres',
  title: 'TaskRes',
  learns: "a residual beside each class's text feature",
  paper: {
    text: 'Yu et al., Task Residual for Tuning Vision-Language Models, CVPR 2023',
    url: 'https://arxiv.org/abs/2211.10277',
  },
  fields: {
    ...COMMON_FIELDS,
    alpha: numberIn({ least: 0, above: true }, { flag: '--alpha <x>', help: 'factor of the residual' }),
    ...DESCENT_FIELDS,
    weightDecay,
  },
  defaults: {
    ...COMMON_DEFAULTS,
    ...{ alpha: 0.5, learningRate: 2e-3, epochs: 100, batchSize: 256, weightDecay: 5e-4 },
  },
  sources: {
    alpha: 'train_regular.sh: 0.5 (1 for Flowers102)',
    learningRate: 'adam_lr2e-3_B256_ep100.yaml (ImageNet: 2e-4)',
    epochs: 'train_regular.sh: 100 for 1, 2 and 4 images per class; 200 for 8 and 16',
    batchSize: 'adam_lr2e-3_B256_ep100.yaml',
    weightDecay: "Dassl's default",
  },
  parameters: ({ classes, joint }) => classes * joint,
  publishedEpochs: (shots) => (shots < 8 ? 100 : 200),
});

/** Facts about LP++. */
export const LP_PLUS_PLUS = feature({
  name: 'lp++',
  title: 'LP++',
  learns: "a linear layer, and how much of each class's text feature it contains",
  paper: {
    text: 'Huang et al., LP++: A Surprisingly Strong Linear Probe for Few-Shot CLIP, CVPR 2024',
    url: 'https://arxiv.org/abs/2404.02285',
  },
  fields: {
    ...COMMON_FIELDS,
    iterations: LINEAR_PROBE.fields.iterations,
    alphaEvery: numberIn(
      { least: 1, whole: true },
      { flag: '--alpha-every <n>', help: 'steps of the weights for one of the factors of the texts' },
    ),
  },
  defaults: { ...COMMON_DEFAULTS, iterations: 300, alphaEvery: 10 },
  sources: { iterations: 'configs/base.yaml', alphaEvery: 'methods/linear_probe_p2.py' },
  parameters: ({ classes, joint }) => classes * (joint + 1),
});

/** Facts about CLAP. */
export const CLAP = feature({
  name: 'clap',
  title: 'CLAP',
  learns: "a linear layer that starts at the classes' text features and is held near them",
  paper: {
    text: 'Silva-Rodríguez et al., A Closer Look at the Few-Shot Adaptation of Large Vision-Language Models, CVPR 2024',
    url: 'https://arxiv.org/abs/2312.12730',
  },
  fields: { ...COMMON_FIELDS, ...DESCENT_FIELDS },
  defaults: { ...COMMON_DEFAULTS, learningRate: 0.1, epochs: 300, batchSize: 256 },
  sources: {
    learningRate: 'SGD_lr1e-1_B256_ep300.yaml',
    epochs: 'SGD_lr1e-1_B256_ep300.yaml',
    batchSize: 'SGD_lr1e-1_B256_ep300.yaml',
  },
  parameters: ({ classes, joint }) => classes * joint,
});

/** Facts about every learner on features. */
export const FEATURE_FACTS: readonly FeatureFacts[] = [
  LINEAR_PROBE,
  TIP_ADAPTER,
  TIP_ADAPTER_F,
  CLIP_ADAPTER,
  TASKRES,
  LP_PLUS_PLUS,
  CLAP,
];

/** Facts about the learner on features of that name; undefined if there is none. */
export function featureFactsOf(name: string): FeatureFacts | undefined {
  return FEATURE_FACTS.find((facts) => facts.name === name);
}

function feature<Fields extends OptionFields>(facts: Omit<FeatureFacts<Fields>, 'space'>): FeatureFacts<Fields> {
  return { space: 'features', ...facts };
}
