/** Results as tables: for the terminal, and for docs/mutation.md. */
import { type Entry, entryOf } from './equivalent.js';
import { MEANS } from './judge.js';
import { KINDS } from './mutator.js';
import type { Result } from './results.js';

/** A group of mutants, counted. */
export interface Count {
  readonly name: string;
  readonly mutants: number;
  readonly notRun: number;
  readonly invalid: number;
  readonly equivalent: number;
  readonly undetectable: number;
  readonly killed: number;
  readonly survived: number;
}

export function countOf(name: string, results: readonly Result[], entries: readonly Entry[]): Count {
  const survivors = results.filter(({ verdict }) => verdict.outcome === 'survived');
  const listed = (kind: Entry['kind']) =>
    survivors.filter(({ mutant }) => entryOf(entries, mutant)?.kind === kind).length;
  const [equivalent, undetectable] = [listed('equivalent'), listed('undetectable')];
  return {
    ...{ name, mutants: results.length, equivalent, undetectable },
    notRun: results.filter(({ verdict }) => verdict.outcome === 'not run').length,
    invalid: results.filter(({ verdict }) => verdict.outcome === 'invalid').length,
    killed: results.filter(({ verdict }) => verdict.outcome === 'killed').length,
    survived: survivors.length - equivalent - undetectable,
  };
}

/** Of the mutants that run, compile and are not equivalent, how many were killed. */
export function scoreOf({ killed, undetectable, survived }: Count): number {
  const all = killed + undetectable + survived;
  return all === 0 ? 1 : killed / all;
}

const HEAD = ['mutants', 'not run', 'not compiling', 'equivalent', 'killed', 'undetectable', 'survived', 'score'];

/** A row for each group, and one for all: `by` says which group a result is in. */
export function countTable(
  title: string,
  results: readonly Result[],
  entries: readonly Entry[],
  by: (result: Result) => string,
): string[][] {
  const names = [...new Set(results.map(by))];
  const counts = names.map((name) =>
    countOf(
      name,
      results.filter((result) => by(result) === name),
      entries,
    ),
  );
  const row = (count: Count) => [
    count.name,
    ...[
      count.mutants,
      count.notRun,
      count.invalid,
      count.equivalent,
      count.killed,
      count.undetectable,
      count.survived,
    ].map(String),
    `${(100 * scoreOf(count)).toFixed(1)} %`,
  ];
  return [[title, ...HEAD], ...counts.map(row), row(countOf('all', results, entries))];
}

/** How many were killed by what. */
export function meansTable(results: readonly Result[]): string[][] {
  const killed = results.flatMap(({ verdict }) => (verdict.outcome === 'killed' ? [verdict.by] : []));
  return [['killed by', 'mutants'], ...MEANS.map((one) => [one, String(killed.filter((by) => by === one).length)])];
}

const BLOCK = /(<!-- begin mutants: (.+?) -->)\n[\s\S]*?(<!-- end -->)/g;

/** The page with the results in the part that names the adapter. Throws Error if none does. */
export function fillPage(page: string, part: string, adapter: string): string {
  let found = false;
  const filled = page.replace(BLOCK, (block, begin: string, name: string, end: string) => {
    if (!adapter.includes(name)) return block;
    found = true;
    return `${begin}\n${part}\n${end}`;
  });
  if (!found) {
    throw new Error(
      `docs/mutation.md: expected <!-- begin mutants: name --> and <!-- end --> with a part of "${adapter}" as the name, found none`,
    );
  }
  return filled;
}

/** The generated part of the page. */
export function pagePart(
  results: readonly Result[],
  entries: readonly Entry[],
  { adapter, seed, all }: { readonly adapter: string; readonly seed: number; readonly all: number },
): string {
  const total = countOf('all', results, entries);
  const inOrder = KINDS.flatMap((kind) => results.filter(({ mutant }) => mutant.kind === kind));
  return [
    `${total.mutants} of ${all} mutants, seed ${seed}, judged on ${adapter}: ${total.notRun} are in variants that do not run there, ${total.invalid} do not`,
    `compile, ${total.equivalent} are equivalent; of the others, ${total.killed} are killed, ${(100 * scoreOf(total)).toFixed(1)} %.`,
    '',
    markdown(meansTable(results)),
    '',
    markdown(countTable('fault', inOrder, entries, ({ mutant }) => mutant.kind)),
    '',
    markdown(countTable('shader', results, entries, ({ mutant }) => mutant.shader)),
    '',
  ].join('\n');
}

function markdown([head, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head!), line(head!.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
