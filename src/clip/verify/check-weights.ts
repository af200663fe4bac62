/** Checks every number of a checkpoint, one tensor at a time: all must be finite, and no matrix left at its initial constant. */
import type { CanonicalClip } from '../checkpoint/index.js';
import { type ClipConfig, clipTensors, type ExpectedTensor } from '../config.js';
import { type Check, failed, passed } from './reproduce.js';

/** Plausible logit scales. OpenAI clips its scale at 100; others train without a bound, but none comes near these limits. */
const SCALES = [1, 1000] as const;

/** Of a CLIP, with its logit scale. `onTensor` is called after each tensor is read. */
export async function checkWeights(
  clip: CanonicalClip,
  config: ClipConfig,
  onTensor: () => void = () => {},
): Promise<Check[]> {
  const checks = await checkNumbers(clip, clipTensors(config), onTensor);
  const [logScale = 0] = await clip.read('logit_scale');
  const scale = Math.exp(logScale);
  const isPlausible = scale >= SCALES[0] && scale <= SCALES[1];
  return [
    ...checks,
    (isPlausible ? passed : failed)('logit scale', `${scale.toFixed(2)}, expected from ${SCALES[0]} to ${SCALES[1]}`),
  ];
}

/** Of any model. */
export async function checkNumbers(
  weights: CanonicalClip,
  tensors: readonly ExpectedTensor[],
  onTensor: () => void = () => {},
): Promise<Check[]> {
  const broken: string[] = [];
  const constant: string[] = [];
  let numbers = 0;
  for (const { name, shape } of tensors) {
    const values = await weights.read(name);
    const { nonFinite, least, most } = survey(values);
    if (nonFinite > 0) broken.push(`${name} (${nonFinite} of ${values.length})`);
    // Norms are initialised to ones and biases to zeros, but a matrix with a single value has not been trained.
    else if (shape.length > 1 && least === most) constant.push(`${name} (all ${least})`);
    numbers += values.length;
    onTensor();
  }
  return [
    broken.length > 0
      ? failed('finite weights', `NaN or infinite numbers in ${listed(broken)}`)
      : passed('finite weights', `${(numbers / 1e6).toFixed(1)} M numbers`),
    constant.length > 0
      ? failed('filled weights', `one value throughout in ${listed(constant)}`)
      : passed('filled weights', 'no matrix is constant'),
  ];
}

function survey(values: Float32Array): { nonFinite: number; least: number; most: number } {
  let [nonFinite, least, most] = [0, Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) nonFinite++;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { nonFinite, least, most };
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
