/** Which mutants a run judges: of every shader some, chosen by a seed. */
import { Random } from '../fuzz/random.js';
import { type Mutant, mutantsOf, type Shader } from './shader.js';

/** Of a shader with few mutants, at least so many. */
const LEAST = 8;

/**
 * About `count` mutants in the order of shaders and lines: of a shader with four times as many, twice as many, so that a long one does not take all
 * the time. The same for the same seed; a larger count adds to them.
 */
export function chosenMutants(shaders: readonly Shader[], count: number, seed: number): Mutant[] {
  const all = shaders.map(mutantsOf);
  const share = shareFor(all, count);
  return all.flatMap((mutants) => {
    const own = ownCount(mutants, share);
    if (own === mutants.length) return mutants;
    const random = Random.ofCase(mutants[0]!.shader, seed, 0);
    const left = mutants.map((_, i) => i);
    const taken = Array.from({ length: own }, () => left.splice(random.below(left.length), 1)[0]!);
    return taken.sort((one, other) => one - other).map((i) => mutants[i]!);
  });
}

function ownCount({ length }: readonly Mutant[], share: number): number {
  return Math.min(length, Math.max(LEAST, Math.round(share * Math.sqrt(length))));
}

/** The smallest share, in tenths, that makes so many mutants; a large one if there are not so many. */
function shareFor(all: readonly (readonly Mutant[])[], count: number): number {
  const sum = (share: number) => all.reduce((total, mutants) => total + ownCount(mutants, share), 0);
  const most = Math.sqrt(Math.max(...all.map(({ length }) => length)));
  let share = 0;
  while (sum(share) < count && share <= most) share += 0.1;
  return share;
}
