/** The learners of the image tower, by name, and their options. */
import * as v from 'valibot';
import { InputError } from '../../errors.js';
import { checkedOptions, type OptionsOf } from '../../ptdpc/options.js';
import type { LearnerFacts } from '../learner.js';
import { MAPLE } from './maple.js';
import { VPT } from './vpt.js';

/** The learners of the image tower, by name. */
export const IMAGE_LEARNERS = { vpt: VPT, maple: MAPLE } as const;

/** The name of one of them. */
export type ImageLearner = keyof typeof IMAGE_LEARNERS;

/** Options of the learner of that name, which name it. */
export type ImageOptionsNamed<Name extends ImageLearner> = { readonly learner: Name } & OptionsOf<
  (typeof IMAGE_LEARNERS)[Name]['fields']
>;

/** Options of a learner of the image tower. */
export type ImageOptions = { [Name in ImageLearner]: ImageOptionsNamed<Name> }[ImageLearner];

/** Whether a name is that of a learner of the image tower. */
export function isImageLearner(name: string): name is ImageLearner {
  return Object.hasOwn(IMAGE_LEARNERS, name);
}

/** Whether options are those of a learner of the image tower. */
export function isImageOptions(options: object): options is ImageOptions {
  return 'learner' in options && typeof options.learner === 'string' && isImageLearner(options.learner);
}

/** The defaults of a learner with some options replaced. Throws InputError if an option is out of range. */
export function imageOptions<Name extends ImageLearner>(
  learner: Name,
  overrides: Partial<OptionsOf<(typeof IMAGE_LEARNERS)[Name]['fields']>> = {},
): { [N in Name]: ImageOptionsNamed<N> }[Name] {
  const { fields, defaults }: LearnerFacts = IMAGE_LEARNERS[learner];
  const options: unknown = { learner, ...checkedOptions(fields, { ...defaults, ...overrides }) };
  return options as { [N in Name]: ImageOptionsNamed<N> }[Name];
}

/** Options from a file; undefined if the value is something else. */
export function parseImageOptions(value: unknown): ImageOptions | undefined {
  if (typeof value !== 'object' || value === null || !('learner' in value)) return undefined;
  const { learner } = value;
  if (typeof learner !== 'string' || !isImageLearner(learner)) return undefined;
  const { success, output } = v.safeParse(v.object(IMAGE_LEARNERS[learner].fields), value, { abortEarly: true });
  return success ? ({ learner, ...output } as ImageOptions) : undefined;
}

/** The same as a schema, for the record of a run. */
export const imageOptionsSchema: v.GenericSchema<unknown, ImageOptions> = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const options = parseImageOptions(dataset.value);
    if (options) return options;
    addIssue({ message: 'options of a learner of the image tower' });
    return NEVER;
  }),
);

/** The layers that can have tokens: those of the image tower, for MaPLe of the smaller tower. */
export function deepest(learner: ImageLearner, layers: { readonly vision: number; readonly text: number }): number {
  return learner === 'maple' ? Math.min(layers.vision, layers.text) : layers.vision;
}

/** Throws InputError if there are more layers with tokens than the model has. */
export function requireDepth(
  { learner, depth }: Pick<ImageOptions, 'learner' | 'depth'>,
  layers: { readonly vision: number; readonly text: number },
): void {
  const most = deepest(learner, layers);
  if (depth > most)
    throw new InputError(
      `--depth: expected at most ${most}, the layers that this model has for ${learner}, found ${depth}`,
    );
}
