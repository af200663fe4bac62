/** Mutants that no case can kill, as test/mutants/equivalent.json lists them, each with its reason. */
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { InputError } from '../src/errors.js';
import { type Mutant, mutantsOf, type Shader } from './shader.js';

const Entry = v.strictObject({
  /** As `Shader.name`. */
  shader: v.string(),
  /** Why no call of a kernel shows it. `undetectable`: a fault, but not on an adapter that runs subgroups one after the other. */
  kind: v.picklist(['equivalent', 'undetectable']),
  /** The only kind of adapter that it holds for: a part of its description. */
  adapter: v.optional(v.string()),
  reason: v.pipe(v.string(), v.minLength(20)),
  /** As `Mutant.id`. */
  mutants: v.pipe(v.array(v.string()), v.minLength(1)),
});
export type Entry = v.InferOutput<typeof Entry>;

/** Reads the list. Throws InputError for one that is not as it should be. */
export async function readEquivalents(path: string): Promise<Entry[]> {
  const { success, output, issues } = v.safeParse(v.array(Entry), JSON.parse(await readFile(path, 'utf8')));
  if (success) return output;
  throw new InputError(`${path}: ${v.getDotPath(issues[0]) ?? ''}: ${issues[0].message}`);
}

/** Those that hold for an adapter of this description. */
export function entriesFor(entries: readonly Entry[], description: string): Entry[] {
  return entries.filter(({ adapter }) => adapter === undefined || description.includes(adapter));
}

/** The entry of a mutant, if it has one. */
export function entryOf(entries: readonly Entry[], { shader, id }: Pick<Mutant, 'shader' | 'id'>): Entry | undefined {
  return entries.find((entry) => entry.shader === shader && entry.mutants.includes(id));
}

/** What the list says of mutants that there are no more: their line has changed, so that their reason must be looked at again. */
export function staleIn(entries: readonly Entry[], shaders: readonly Shader[]): string[] {
  const known = new Map(shaders.map((shader) => [shader.name, new Set(mutantsOf(shader).map(({ id }) => id))]));
  return entries.flatMap(({ shader, mutants }) =>
    mutants.filter((id) => !known.get(shader)?.has(id)).map((id) => `${shader}: ${id}`),
  );
}
