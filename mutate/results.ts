/** What became of the mutants, kept in .cache so that a run can be gone on with. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Verdict } from './judge.js';
import type { Mutant } from './shader.js';

/** A mutant and its verdict. */
export interface Result {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
  /** Of its shader's text, that it stands for no other. */
  readonly text: string;
}

/** By shader and mutant. */
export type Results = Map<string, Result>;

/** Where the results of an adapter are, below a folder: another one's say nothing of it. */
export function resultsPath(folder: string, adapter: string): string {
  return join(folder, `mutate-${adapter.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.json`);
}

export const keyOf = ({ shader, id }: Pick<Mutant, 'shader' | 'id'>) => `${shader}: ${id}`;

/** The results of an earlier run; none if there are none that can be read. */
export async function readResults(path: string): Promise<Results> {
  try {
    const results = JSON.parse(await readFile(path, 'utf8')) as Result[];
    return new Map(results.map((result) => [keyOf(result.mutant), result]));
  } catch {
    return new Map();
  }
}

export async function writeResults(path: string, results: Results): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify([...results.values()]));
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
