/** The rows of a study: a learner with its options, and what these are for a number of images per class and a seed. */
import { quoted, shortened } from '../../clip/checkpoint/quoted.js';
import { InputError } from '../../errors.js';
import { featureFactsOf } from '../../learners/features/facts.js';
import {
  contextOptions,
  isContextLearner,
  LEARNERS,
  type PromptOptions,
  publishedEpochs,
} from '../../learners/index.js';
import { GUIDE_FIELDS } from '../../learners/prompts/context.js';
import { didYouMean } from '../../suggest.js';
import {
  checkedOptions,
  FEATURE_KINDS,
  type FeatureKind,
  flagOf,
  type OptionField,
  oneOf,
  PROBE_FIELDS,
  type ProbeOptions,
  probeOptions,
  TUNING_FIELDS,
  type TuningOptions,
  tuningOptions,
} from '../options.js';
import type { StudyRowResult } from './results.js';

/** A row, as a study's file has it. */
export interface StudyRow {
  /** A plain name, unique in the study: a part of the names of tasks. */
  name: string;
  label: string;
  /** One of `STUDY_LEARNERS`. */
  learner: string;
  /** In place of the published ones, by their names in run.json. */
  options: Readonly<Record<string, unknown>>;
  /** Learning rates for validation to choose from; undefined: the one of the options. */
  rates?: readonly number[] | undefined;
}

/** Of the linear probe of `ptdpc probe`. */
const PROBE_ROW_FIELDS = {
  ...PROBE_FIELDS,
  features: oneOf(FEATURE_KINDS, {
    flag: '--features <kind>',
    help: "the image tower's output before its projection (pooled) or after it (joint)",
  }),
} as const;

interface RowKind {
  readonly kind: 'prompts' | 'features' | 'probe' | 'zero-shot';
  readonly title: string;
  readonly learns: string;
  readonly paper: { readonly text: string; readonly url: string } | null;
  readonly fields: Readonly<Record<string, OptionField>>;
}

/** Learners that a study can compare: all but those of the image tower, which have no features that a study computes once for all. */
const COMPARED = LEARNERS.filter(({ space }) => space !== 'images');

/** What a row can be: a learner of `ptdpc train`, and what the others are compared with. */
const KINDS: ReadonlyMap<string, RowKind> = new Map<string, RowKind>([
  [
    'zero-shot',
    {
      kind: 'zero-shot',
      title: 'CLIP, zero-shot',
      learns: 'nothing',
      paper: null,
      fields: { template: GUIDE_FIELDS.zeroShotTemplate },
    },
  ],
  ...COMPARED.map(({ name, space, title, learns, paper, fields }): [string, RowKind] => [
    name,
    { kind: space === 'features' ? 'features' : 'prompts', title, learns, paper, fields },
  ]),
  [
    'probe',
    {
      kind: 'probe',
      title: 'Linear layer',
      learns: 'a linear layer on the image feature, by gradient steps as in Table 4 of PT-DPC',
      paper: null,
      fields: PROBE_ROW_FIELDS,
    },
  ],
]);

/** Names of learners that a study can have. */
export const STUDY_LEARNERS: readonly string[] = [...KINDS.keys()];

/** The template of zero-shot rows: CLIP's own for ImageNet. */
const ZERO_SHOT_TEMPLATE = 'a photo of a {}.';

function kindOf(learner: string): RowKind {
  const found = KINDS.get(learner);
  if (found) return found;
  throw new InputError(
    `expected one of ${STUDY_LEARNERS.join(', ')}, found ${quoted(learner)}${didYouMean(learner, STUDY_LEARNERS)}`,
  );
}

/** Whether a row learns nothing, so that it has one result for all numbers of images and all seeds of a fixed split. */
export function learnsNothing({ learner }: Pick<StudyRow, 'learner'>): boolean {
  return kindOf(learner).kind === 'zero-shot';
}

/** Whether a learner has an option of that name in run.json. */
export function hasOption(learner: string, name: string): boolean {
  return Object.hasOwn(kindOf(learner).fields, name);
}

/** A learner as a file gives it. */
export interface GivenRow {
  readonly learner: string;
  readonly name?: string | undefined;
  readonly label?: string | undefined;
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  readonly rates?: readonly number[] | undefined;
}

/** The row, checked. Throws InputError, whose message begins with what was expected or with an option, for another learner and for options that it does not have. */
export function studyRow({ learner, name, label, options = {}, rates }: GivenRow): StudyRow {
  const { kind, title, fields } = kindOf(learner);
  const own: Record<string, unknown> = {};
  const named = new Map(
    Object.entries(fields).flatMap(([key, field]) => [
      [key, key],
      [flagName(field), key],
    ]),
  );
  for (const [given, value] of Object.entries(options)) {
    const key = named.get(given);
    if (key === 'seed') throw new InputError('options.seed: seeds are those of the study ("seeds")');
    if (key === undefined)
      throw new InputError(
        `options.${shortened(given)}: not an option of ${learner}, which takes ${Object.keys(fields)
          .filter((field) => field !== 'seed')
          .join(', ')}${didYouMean(given, named.keys())}`,
      );
    if (Object.hasOwn(own, key))
      throw new InputError(`options.${given}: given twice, as ${key} and ${flagName(fields[key]!)}`);
    own[key] = value;
  }
  if (rates && kind !== 'prompts' && kind !== 'probe')
    throw new InputError(
      `lr: expected none, since the rate of ${learner} is not chosen by validation; a number is options.learningRate`,
    );
  const row = { name: name ?? plain(learner), label: label ?? title, learner, options: own, ...(rates && { rates }) };
  rowWork(row, null, 0);
  return row;
}

const flagName = (field: OptionField): string => flagOf(field).replace(/^--(?:no-)?/, '');

const plain = (learner: string): string => learner.replaceAll('+', 'plus');

/** What a row computes. */
export type RowWork =
  | { kind: 'prompts'; rates: readonly number[]; options: (learningRate: number) => PromptOptions }
  | { kind: 'features'; learner: string; options: Readonly<Record<string, unknown>> }
  | { kind: 'probe'; rates: readonly number[]; options: ProbeOptions; features: FeatureKind }
  | { kind: 'zero-shot'; template: string };

/**
 * What a row computes on so many images per class (null: all) with a seed: the published options, epochs by the number of images where the paper
 * has them so, and the row's own. Throws InputError naming the flag of an option that is out of range.
 */
export function rowWork({ learner, options, rates }: StudyRow, shots: number | null, seed: number): RowWork {
  const { kind, fields } = kindOf(learner);
  const images = shots ?? undefined;
  switch (kind) {
    case 'zero-shot': {
      const { template } = checkedOptions({ template: fields.template! }, { template: ZERO_SHOT_TEMPLATE, ...options });
      return { kind, template: String(template) };
    }
    case 'probe': {
      const { features, ...own } = checkedOptions(PROBE_ROW_FIELDS, {
        ...probeOptions({ seed }),
        features: 'pooled',
        ...options,
      });
      return { kind, features, rates: rates ?? [own.learningRate], options: own };
    }
    case 'features': {
      const facts = featureFactsOf(learner)!;
      const epochs = images === undefined ? undefined : facts.publishedEpochs?.(images);
      const all = { ...facts.defaults, ...(epochs !== undefined && { epochs }), ...options, seed };
      return { kind, learner, options: checkedOptions(fields, all) };
    }
    case 'prompts': {
      const made = (own: object) => promptOptions(learner, images, { ...options, ...own, seed });
      const standard = made({});
      return {
        kind,
        rates: rates ?? [standard.learningRate],
        options: (learningRate) => ({ ...standard, learningRate }),
      };
    }
  }
}

function promptOptions(
  learner: string,
  shots: number | undefined,
  own: Readonly<Record<string, unknown>>,
): PromptOptions {
  if (isContextLearner(learner)) {
    const epochs = publishedEpochs(learner, shots);
    return contextOptions(learner, { ...(epochs !== undefined && { epochs }), ...own });
  }
  const { preset = 'paper' } = checkedOptions({ preset: TUNING_FIELDS.preset }, { preset: 'paper', ...own });
  return tuningOptions(preset, own as Partial<TuningOptions>);
}

/** Whether the prompts of a row depend on the image, so that a look at the test images costs as much as a training on as many. */
export function isRowPerImage(options: PromptOptions): boolean {
  return 'learner' in options ? options.learner === 'cocoop' : options.mode === 'both' || options.mode === 'is';
}

/** A row for people. */
export function describeRow({ name, label, learner, options, rates }: StudyRow): StudyRowResult {
  const { learns, paper } = kindOf(learner);
  return { name, label, learner, learns, paper, options: { ...options, ...(rates && { rates: [...rates] }) } };
}
