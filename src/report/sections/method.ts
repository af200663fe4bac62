/** What a run was trained by, as facts of its page. */
import { featureFactsOf } from '../../learners/features/facts.js';
import { IMAGE_LEARNERS, type ImageOptions } from '../../learners/images/index.js';
import type { LearnerFacts } from '../../learners/learner.js';
import { CONTEXT_LEARNERS, type ContextTuning, isPtDpc } from '../../learners/prompts/index.js';
import type { ProbeOptions, TuningOptions } from '../../ptdpc/index.js';
import { flagOf } from '../../ptdpc/options.js';
import { type Part, percent } from '../format.js';
import type { RunMethod } from '../run-report.js';

const LOSS_WORDS = {
  ce: 'cross-entropy of logits',
  'double-softmax': 'cross-entropy of softmax(logits)',
  kl: 'Kullback–Leibler divergence from the votes',
} as const;

/** What composes the prompts of each of PT-DPC's modes. */
export const MODE_WORDS = {
  both: 'class-specific and instance-specific prompts',
  cs: 'class-specific prompts',
  is: 'one instance-specific prompt',
  none: 'one shared prompt',
} as const;

/** A fact of a run. */
export type Fact = readonly [name: string, value: Part];

/** The options of a run, and what its learner is. */
export function methodFacts(method: RunMethod): Fact[] {
  if (method.learner === 'zero-shot') return [['templates', method.templates.join('; ')]];
  if (method.learner === 'probe')
    return [
      ['features', method.features],
      ['preprocessing', method.preprocess === 'clip' ? "CLIP's" : "the encoder's own"],
      ['weight decay', method.options.l2],
      ...trainingFacts(method.options),
    ];
  if (method.learner === 'features') return featuresFacts(method);
  if (method.learner === 'images') return optionFacts(IMAGE_LEARNERS[method.options.learner], method.options);
  const { options } = method;
  if (!isPtDpc(options)) return optionFacts(CONTEXT_LEARNERS[options.learner], options);
  return [
    ['preset', options.preset],
    ['mode', `${options.mode}: ${MODE_WORDS[options.mode]}`],
    ['template', `“${options.template} …”${options.learnSot ? ', start-of-text token learned too' : ''}`],
    ...(options.initNoise > 0
      ? [['noise on the start', `${options.initNoise} of each token's root mean square`] as const]
      : []),
    ['weight', options.weight === 'cosine' ? 'cos(f, p)' : '(cos(f, p) + 1) / 2'],
    ['loss', LOSS_WORDS[options.loss]],
    ['logit scale', options.logitScale === 'clip' ? "the checkpoint's" : options.logitScale],
    ...trainingFacts(options),
  ];
}

/** The options of a learner on features, each by the name of its flag, and what validation made of those that it chose. */
function featuresFacts({ name, options, constants, choice }: Extract<RunMethod, { learner: 'features' }>): Fact[] {
  const { title, paper, fields } = featureFactsOf(name)!;
  const chosen = choice.find(({ values }) => Object.entries(values).every(([key, value]) => constants[key] === value));
  return [
    ['learner', title],
    ['paper', paper.text],
    ...Object.entries(fields).map(([key, field]): Fact => {
      const value = options[key] === 'auto' ? `${constants[key]}, chosen` : String(options[key]);
      return [flagOf(field).slice(2).replaceAll('-', ' '), value];
    }),
    ...(chosen ? [['accuracy on the validation images', percent(chosen.valAccuracy)] as const] : []),
  ];
}

/** The options of a learner that trains by epochs, each by the name of its flag. */
function optionFacts(
  { title, paper, fields }: Pick<LearnerFacts, 'title' | 'paper' | 'fields'>,
  options: ContextTuning | ImageOptions,
): Fact[] {
  return [
    ['learner', title],
    ['paper', paper.text],
    ...Object.entries(fields).map(([name, field]): Fact => {
      const value: unknown = Reflect.get(options, name);
      return [flagOf(field).slice(2).replaceAll('-', ' '), value === '' ? '–' : String(value)];
    }),
  ];
}

function trainingFacts(options: ProbeOptions | TuningOptions): Fact[] {
  return [
    ['optimiser', options.optimizer === 'sgd' ? 'SGD with momentum' : 'AdamW'],
    ['learning rate', `${options.learningRate}, times ${options.gamma} every ${options.stepSize} epochs`],
    ['epochs, batch size', `${options.epochs}, ${options.batchSize}`],
    ['seed', `${options.seed}${options.shuffle ? '' : ', images not shuffled'}`],
  ];
}
