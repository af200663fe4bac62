/** The choice of a learning rate by validation, never by test images. */
import { epochOrder } from './random.js';

/** A learning rate that was tried, and what validation says of it. */
export interface RateChoice {
  learningRate: number;
  valAccuracy: number;
  valLoss: number;
}

/** Share of the training images of each class that is held out if the data set has no validation images. */
const HELD_OUT = 0.1;

/** The rate with the highest accuracy on the validation images; of equals the lowest loss, then the first. Throws RangeError for none. */
export function bestRate(results: readonly RateChoice[]): number {
  const [first, ...rest] = results;
  if (!first) throw new RangeError('bestRate: expected at least one result');
  const better = (a: RateChoice, b: RateChoice) =>
    a.valAccuracy > b.valAccuracy || (a.valAccuracy === b.valAccuracy && a.valLoss < b.valLoss);
  return rest.reduce((best, result) => (better(result, best) ? result : best), first).learningRate;
}

/**
 * Parts training images for the choice alone: of each class the tenth that the seed draws, at least one, is held out. Order is kept.
 * A class of one image stays with the training.
 */
export function holdOut<T extends { label: number }>(images: readonly T[], seed: number): { fit: T[]; held: T[] } {
  const held = new Set<T>();
  for (const label of new Set(images.map((image) => image.label))) {
    const ofClass = images.filter((image) => image.label === label);
    const count = ofClass.length < 2 ? 0 : Math.max(1, Math.round(ofClass.length * HELD_OUT));
    for (const place of epochOrder(ofClass.length, seed, label).subarray(0, count)) held.add(ofClass[place]!);
  }
  return { fit: images.filter((image) => !held.has(image)), held: images.filter((image) => held.has(image)) };
}
