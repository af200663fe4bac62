/** Options that several learners on features share. */
import * as v from 'valibot';
import { type NumberRange, numberIn, type OptionText, optionText, TUNING_FIELDS } from '../../ptdpc/options.js';
import { addScaled, groupDot, type Tensor } from '../../tensor/index.js';

/** A number, or `auto`: chosen on the validation images. */
export function numberOrAuto(range: NumberRange, text: OptionText) {
  const number = numberIn(range, text);
  const expected = `auto or ${number.pipe[0].message}`;
  return v.pipe(
    v.custom<'auto' | number>((value) => value === 'auto' || v.is(number, value), expected),
    v.metadata({ ...text, range }),
  );
}

/** Of all learners: the text of a class, where those begin that use texts, and what CLIP without training compares with; and the seed. */
export const COMMON_FIELDS = {
  zeroShotTemplate: v.pipe(
    v.string('a text'),
    v.check((text) => text.includes('{}'), 'a text with {} in place of the class word'),
    v.metadata({
      flag: '--zero-shot-template <text>',
      help: 'hand-written prompt, with {} in place of the class word',
    }),
  ),
  seed: v.pipe(
    TUNING_FIELDS.seed,
    v.metadata({
      ...optionText(TUNING_FIELDS.seed),
      help: 'seed of the choice of --shots, of the image order and of initial weights',
    }),
  ),
};
/** The prompt is CLIP's own for ImageNet. */
export const COMMON_DEFAULTS = { zeroShotTemplate: 'a photo of a {}.', seed: 0 };

/** Those of a training by gradient. */
export const DESCENT_FIELDS = {
  learningRate: TUNING_FIELDS.learningRate,
  epochs: TUNING_FIELDS.epochs,
  batchSize: TUNING_FIELDS.batchSize,
};

/** `decay` times half the squared norm: its gradient is the weight decay of PyTorch's SGD and Adam. */
export function halfSquares(parameters: readonly Tensor[], decay: number): Tensor {
  const sums = parameters.map((parameter) => {
    const flat = parameter.reshape([1, parameter.size]);
    return groupDot(flat, flat, decay / 2).reshape([1]);
  });
  return sums.reduce((total, one) => addScaled(one, total));
}

export const WEIGHT_DECAY_FIELD = numberIn(
  { least: 0 },
  { flag: '--weight-decay <x>', help: 'factor of half the squared norm of what is learned, in the loss' },
);
