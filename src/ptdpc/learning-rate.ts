/** Selects a learning rate on validation images, never on test images. */
import { epochOrder } from './random.js';

/** A learning rate, and its validation metrics. */
export interface RateChoice {
  learningRate: number;
  valAccuracy: number;
  valLoss: number;
}

/** Fraction of each class's training images held out if the data set has no validation images. */
const HELD_OUT = 0.1;

/** The rate with the highest validation accuracy; ties go to the lowest loss, then to the first. Throws RangeError if there are none. */
export function bestRate(results: readonly RateChoice[]): number {
  const [first, ...rest] = results;
  if (!first) throw new RangeError('bestRate: expected at least one result');
  const better = (a: RateChoice, b: RateChoice) =>
    a.valAccuracy > b.valAccuracy || (a.valAccuracy === b.valAccuracy && a.valLoss < b.valLoss);
  return rest.reduce((best, result) => (better(result, best) ? result : best), first).learningRate;
}

/**
 * Splits training images for the selection only: a tenth of each class (at least one image), drawn by the seed, is held out. Keeps the
 * order. A class with a single image is not split.
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
