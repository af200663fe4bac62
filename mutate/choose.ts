/** Which mutants a run judges: of every shader some, chosen by a seed. */
import { Random } from '../fuzz/random.js';
import { type Mutant, mutantsOf, type Shader } from './shader.js';

/** Of a shader with few mutants, at least so many. */
const LEAST = 8;

/**
 * About `count` mutants in the order of shaders and lines: of each shader a share as large as its share of all mutants. The same for the same
 * seed; a larger count adds to them.
 */
export function chosenMutants(shaders: readonly Shader[], count: number, seed: number): Mutant[] {
  const all = shaders.map(mutantsOf);
  const share = count / all.reduce((sum, { length }) => sum + length, 0);
  return all.flatMap((mutants) => {
    const own = Math.min(mutants.length, Math.max(LEAST, Math.round(share * mutants.length)));
    if (own === mutants.length) return mutants;
    const random = Random.ofCase(mutants[0]!.shader, seed, 0);
    const left = mutants.map((_, i) => i);
    const taken = Array.from({ length: own }, () => left.splice(random.below(left.length), 1)[0]!);
    return taken.sort((one, other) => one - other).map((i) => mutants[i]!);
  });
}
