/** What became of the mutants, kept in .cache so that a run can be gone on with. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Verdict } from './judge.js';
import type { Mutant } from './shader.js';

/** A mutant and its verdict. */
export interface Result {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
  /** Of its shader's text, that it stands for no other. */
  readonly text: string;
}

export interface Results {
  /** What they were judged on. */
  adapter: string;
  /** By shader and mutant. */
  readonly known: Map<string, Result>;
}

export const keyOf = ({ shader, id }: Pick<Mutant, 'shader' | 'id'>) => `${shader}: ${id}`;

/** The results of an earlier run; none if there are none that can be read. */
export async function readResults(path: string): Promise<Results> {
  try {
    const { adapter, results } = JSON.parse(await readFile(path, 'utf8')) as { adapter: string; results: Result[] };
    return { adapter, known: new Map(results.map((result) => [keyOf(result.mutant), result])) };
  } catch {
    return { adapter: '', known: new Map() };
  }
}

export async function writeResults(path: string, { adapter, known }: Results): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify({ adapter, results: [...known.values()] }));
}

/** Cases by how often they have killed mutants of a shader, the deadliest first. */
export function deadliest(results: Iterable<Result>, shader: string): string[] {
  const kills = new Map<string, number>();
  for (const { mutant, verdict } of results) {
    if (mutant.shader === shader && verdict.outcome === 'killed' && verdict.where)
      kills.set(verdict.where, (kills.get(verdict.where) ?? 0) + 1);
  }
  return [...kills].sort(([, one], [, other]) => other - one).map(([name]) => name);
}
