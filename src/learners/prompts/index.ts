/** The learners of prompts: what the options of each mean for the model, its texts and its training. */
import * as v from 'valibot';
import { checkedOptions, type OptionsOf, parseTuningOptions, type TuningOptions } from '../../ptdpc/options.js';
import type { PromptModelOptions } from '../../ptdpc/prompt-model.js';
import type { PromptLayout } from '../../ptdpc/prompt-text.js';
import type { TrainingOptions } from '../../ptdpc/training-options.js';
import type { LearnerFacts } from '../learner.js';
import { COCOOP } from './cocoop.js';
import { contextLayout, contextModel, contextTraining } from './context.js';
import { COOP } from './coop.js';
import { KGCOOP } from './kgcoop.js';
import { PROGRAD } from './prograd.js';

/** The learners of a context, by name. */
export const CONTEXT_LEARNERS = { coop: COOP, cocoop: COCOOP, kgcoop: KGCOOP, prograd: PROGRAD } as const;

/** The name of one of them. */
export type ContextLearner = keyof typeof CONTEXT_LEARNERS;

/** Options of the learner of that name. */
export type OptionsNamed<Name extends ContextLearner> = { readonly learner: Name } & OptionsOf<
  (typeof CONTEXT_LEARNERS)[Name]['fields']
>;

/** Options of a learner of a context, which name it. */
export type ContextTuning = { [Name in ContextLearner]: OptionsNamed<Name> }[ContextLearner];

/** Options of any learner of prompts: those of PT-DPC name none. */
export type PromptOptions = TuningOptions | ContextTuning;

/** Whether options are PT-DPC's. */
export function isPtDpc(options: PromptOptions): options is TuningOptions {
  return !('learner' in options);
}

/** The name of the learner that options are for: those of PT-DPC name none. */
export function learnerOf<Name extends string = ContextLearner>(
  options: TuningOptions | { readonly learner: Name },
): 'pt-dpc' | Name {
  return 'learner' in options ? options.learner : 'pt-dpc';
}

/** Whether a name is that of a learner of a context. */
export function isContextLearner(name: string): name is ContextLearner {
  return Object.hasOwn(CONTEXT_LEARNERS, name);
}

/** The defaults of a learner with some options replaced. Throws InputError if an option is out of range. */
export function contextOptions<Name extends ContextLearner>(
  learner: Name,
  overrides: Partial<OptionsOf<(typeof CONTEXT_LEARNERS)[Name]['fields']>> = {},
): { [N in Name]: OptionsNamed<N> }[Name] {
  const { fields, defaults }: LearnerFacts = CONTEXT_LEARNERS[learner];
  const options: unknown = { learner, ...checkedOptions(fields, { ...defaults, ...overrides }) };
  return options as { [N in Name]: OptionsNamed<N> }[Name];
}

/**
 * Epochs of a training on so many images of each class, where the published trainings of a learner depend on it: CoOp's (its training details) and
 * ProGrad's, which are CoOp's. Undefined where they do not, and without `shots`.
 */
export function publishedEpochs(learner: ContextLearner, shots: number | undefined): number | undefined {
  if (shots === undefined || (learner !== 'coop' && learner !== 'prograd')) return undefined;
  if (shots === 1) return 50;
  return shots <= 4 ? 100 : 200;
}

/** Options of any learner from a file; undefined if the value is something else. */
export function parsePromptOptions(value: unknown): PromptOptions | undefined {
  if (typeof value !== 'object' || value === null || !('learner' in value)) return parseTuningOptions(value);
  const { learner } = value;
  if (typeof learner !== 'string' || !isContextLearner(learner)) return undefined;
  // Earlier versions had one loss.
  const given = { loss: 'ce', ...value };
  const { success, output } = v.safeParse(v.object(CONTEXT_LEARNERS[learner].fields), given, { abortEarly: true });
  return success ? ({ learner, ...output } as ContextTuning) : undefined;
}

/** The same as a schema, for the record of a run. */
export const promptOptionsSchema: v.GenericSchema<unknown, PromptOptions> = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const options = parsePromptOptions(dataset.value);
    if (options) return options;
    addIssue({ message: 'options of a learner of prompts' });
    return NEVER;
  }),
);

/** What options mean. */
export interface PromptSetup {
  /** How the text of a class is made. */
  readonly layout: PromptLayout;
  readonly model: PromptModelOptions;
  readonly training: TrainingOptions;
  /** The hand-written prompt of CLIP without training: what a guide compares with, or the words that the tokens begin as. */
  readonly template: string;
}

/** What CoOp, which begins as noise, is compared with: CLIP's own prompt for ImageNet. */
const HAND_WRITTEN = 'a photo of a {}.';

/** What the options of a learner mean for the model, its texts and its training. */
export function promptSetup(options: PromptOptions): PromptSetup {
  if (isPtDpc(options)) {
    const { template } = options;
    return { layout: { context: template }, model: options, training: options, template };
  }
  const layout = contextLayout(options);
  const [model, training] = [contextModel(options), contextTraining(options)];
  const { initWords } = options;
  const template = initWords.trim() === '' || !layoutIsPlain(layout) ? HAND_WRITTEN : `${initWords} {}.`;
  switch (options.learner) {
    case 'coop':
      return { layout, model, training, template };
    case 'cocoop':
      return { layout, model: { ...model, metaNet: options.reduction }, training, template };
    case 'kgcoop': {
      const guide = { kind: 'kgcoop', weight: options.guideWeight } as const;
      return { layout, model: { ...model, guide }, training, template: options.zeroShotTemplate };
    }
    case 'prograd': {
      const { lambda, temperature } = options;
      const guide = { kind: 'prograd', lambda, temperature } as const;
      return { layout, model: { ...model, guide }, training, template: options.zeroShotTemplate };
    }
  }
}

const layoutIsPlain = ({ classPosition }: PromptLayout): boolean => classPosition === 'end';
