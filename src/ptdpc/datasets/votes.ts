/** Votes of people for classes, as lists of images have them: columns of a table, or an object of an entry. */
import { quoted } from '../../clip/checkpoint/quoted.js';
import { InputError } from '../../errors.js';
import type { Votes } from '../label-distributions.js';

/**
 * Votes, or probabilities, of an image from the cells of a list or the values of an object. Throws InputError unless all are numbers from 0 on;
 * undefined if nobody voted.
 */
export function votesOf(names: readonly string[], cells: readonly unknown[], where: string): Votes | undefined {
  const counts = cells.map((cell) => (typeof cell === 'string' && cell.trim() === '' ? Number.NaN : Number(cell)));
  if (counts.length !== names.length || !counts.every((count) => Number.isFinite(count) && count >= 0))
    throw new InputError(
      `${where}: expected ${names.length} numbers of votes from 0 on, found ${quoted(cells.join())}`,
    );
  return counts.some((count) => count > 0) ? names.map((name, c) => [name, counts[c]!] as const) : undefined;
}

/** The class with most votes; of several the first, and whether there are several. */
export function winnerOf(votes: Votes): { name: string; isTie: boolean } {
  const most = votes.reduce((all, [, count]) => Math.max(all, count), 0);
  const first = votes.filter(([, count]) => count === most);
  return { name: first[0]![0], isTie: first.length > 1 };
}

/** The class of a column of votes in a manifest: `joy` of `votes(joy)` or `p(joy)`; undefined for another column. */
export function votedClass(column: string): string | undefined {
  return /^(?:votes|p)\((.+)\)$/is.exec(column.trim())?.[1]?.trim();
}

/** The votes of an entry of a JSON manifest, `{"votes": {"joy": 3, "fear": 1}}`. Throws InputError for anything else. */
export function votesOfEntry(value: unknown, where: string): Votes | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InputError(`${where}: expected votes by class ({"joy": 3, "fear": 1}), found ${quoted(value)}`);
  const entries = Object.entries(value);
  return votesOf(
    entries.map(([name]) => name.trim()),
    entries.map(([, count]: [string, unknown]) => count),
    where,
  );
}
