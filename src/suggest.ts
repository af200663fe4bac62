/** Names that a name may have been meant for. */

/** The one of `known` that differs from `name` in case or in a slip of the keyboard; undefined if none does, or several do equally. */
export function similar(name: string, known: Iterable<string>): string | undefined {
  const lower = name.toLowerCase();
  let best: string | undefined;
  // At most two letters, and at most a third of them.
  let least = Math.min(2, Math.floor(lower.length / 3)) + 1;
  for (const one of known) {
    const steps = distance(lower, one.toLowerCase());
    if (steps > least) continue;
    best = steps < least ? one : undefined;
    least = steps;
  }
  return best;
}

/** ` (did you mean fear?)`, or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const found = similar(name, known);
  return found === undefined ? '' : ` (did you mean ${found}?)`;
}

/** Levenshtein's distance: letters to insert, to delete and to replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
