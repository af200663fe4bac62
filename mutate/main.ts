/** The mutation run's command line: `npm run mutate -- --help`. docs/mutation.md says what it is for. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { parseInteger, parsePositive, parseSeed } from '../src/cli/options.js';
import { say } from '../src/cli/output.js';
import { progress } from '../src/cli/progress.js';
import { table } from '../src/cli/tables.js';
import { InputError } from '../src/errors.js';
import { packageRoot } from '../src/node/package.js';
import { chosenMutants } from './choose.js';
import { type Entry, entriesFor, entryOf, readEquivalents, staleIn } from './equivalent.js';
import { countTable, fillPage, meansTable, pagePart } from './report.js';
import { deadliest, keyOf, type Result, type Results, readResults, resultsPath, writeResults } from './results.js';
import { allShaders, type Mutant, mutantsOf, type Shader } from './shader.js';
import { Watch } from './watch.js';
import { work } from './worker.js';

const CACHE = join(packageRoot(), '.cache');
const EQUIVALENT = join(packageRoot(), 'test', 'mutants', 'equivalent.json');
const PAGE = join(packageRoot(), 'docs', 'mutation.md');

/** Results are written after so many mutants. */
const KEEP_EVERY = 25;

interface Flags {
  count: number;
  seed: number;
  only?: string[];
  limit: number;
  resume?: boolean;
  write?: boolean;
  list?: boolean;
}

if (process.send) {
  await work();
} else {
  await new Command('mutate')
    .description(
      'Plants faults in the shaders, one at a time, and counts those that the suites of the kernels see. Exits with 1 where one is seen by none.',
    )
    .option('--count <n>', 'about so many mutants in all', parseInteger(1), 1000)
    .option('--seed <n>', 'which of all mutants these are', parseSeed, 1)
    .option('--only <names...>', 'shaders, or kernels that use them')
    .option(
      '--limit <seconds>',
      'a case that takes more processor time hangs, unless others of its shader took as long',
      parsePositive,
      6,
    )
    .option(
      '--resume',
      'go on from the last run: keep its verdicts, but judge survivors again that are not listed as equivalent',
    )
    .option('--write', 'bring docs/mutation.md up to date')
    .option('--list', 'list the mutants and judge none')
    .action(run)
    .parseAsync();
}

async function run(flags: Flags): Promise<void> {
  const shaders = allShaders();
  const wanted = only(shaders, flags.only);
  const listed = await readEquivalents(EQUIVALENT);
  const stale = staleIn(listed, shaders);
  // All are chosen from, so that a shader's mutants are the same with --only.
  const chosen = chosenMutants(shaders, flags.count, flags.seed);
  const mutants = chosen.filter(({ shader }) => wanted.some(({ name }) => name === shader));
  if (flags.list) {
    for (const mutant of mutants) console.log(`${mutant.shader}:${mutant.line} ${mutant.kind}: ${mutant.id}`);
    return;
  }
  await using watch = new Watch(fileURLToPath(import.meta.url), flags.limit);
  const adapter = await watch.adapter();
  const entries = entriesFor(listed, adapter);
  const path = resultsPath(CACHE, adapter);
  const known: Results = flags.resume ? await readResults(path) : new Map();
  const results = await judged(withKnown(mutants, known, wanted), known, { shaders, entries, watch, path });
  console.log(`\n${table(countTable('shader', results, entries, ({ mutant }) => mutant.shader))}`);
  console.log(`\n${table(countTable('fault', results, entries, ({ mutant }) => mutant.kind))}`);
  console.log(`\n${table(meansTable(results))}\n\non ${adapter}`);
  report(results, entries, stale);
  if (!flags.write) return;
  if (flags.only) throw new InputError('--write: expected a run of all shaders, found --only');
  const all = shaders.reduce((sum, shader) => sum + mutantsOf(shader).length, 0);
  const part = pagePart(results, entries, { adapter, seed: flags.seed, all });
  await writeFile(PAGE, fillPage(await readFile(PAGE, 'utf8'), part, adapter));
}

/** Shaders of these names, and those that kernels of these names use. Throws InputError for a name of neither. */
function only(shaders: readonly Shader[], names: readonly string[] | undefined): readonly Shader[] {
  if (!names) return shaders;
  const has = ({ name, users }: Shader, wanted: string) =>
    name === wanted || users.some(({ kernel }) => kernel.name === wanted);
  for (const name of names) {
    if (!shaders.some((shader) => has(shader, name)))
      throw new InputError(`--only ${name}: expected a shader or a kernel, such as ${shaders[0]!.name} or softmax`);
  }
  return shaders.filter((shader) => names.some((name) => has(shader, name)));
}

/** These mutants and those of an earlier run, in the order of shaders and lines. */
function withKnown(mutants: readonly Mutant[], known: Results, shaders: readonly Shader[]): Mutant[] {
  const wanted = new Set(mutants.map(keyOf));
  return shaders.flatMap((shader) =>
    mutantsOf(shader).filter((one) => wanted.has(keyOf(one)) || known.get(keyOf(one))?.text === shader.text),
  );
}

/** Judges those mutants of which `known` has no verdict that stands, and keeps what became of them there and in the file. */
async function judged(
  mutants: readonly Mutant[],
  known: Results,
  {
    shaders,
    entries,
    watch,
    path,
  }: { shaders: readonly Shader[]; entries: readonly Entry[]; watch: Watch; path: string },
): Promise<Result[]> {
  const texts = new Map(shaders.map(({ name, text }) => [name, text]));
  using bar = progress(mutants.length, 'judging', 'mutants');
  let fresh = 0;
  for (const mutant of mutants) {
    const text = texts.get(mutant.shader)!;
    const old = known.get(keyOf(mutant));
    // Cases are added, hardly ever taken away: what was killed stays so.
    const stands = old?.text === text && (old.verdict.outcome !== 'survived' || entryOf(entries, mutant));
    if (stands) bar.skip(1);
    else {
      const verdict = await watch.judge(mutant, deadliest(known.values(), mutant.shader));
      known.set(keyOf(mutant), { mutant, verdict, text });
      if (verdict.outcome === 'survived') say(`${mutant.shader}:${mutant.line} ${mutant.kind}: ${mutant.id}`);
      if (++fresh % KEEP_EVERY === 0) await writeResults(path, known);
      bar.tick(1, mutant.shader);
    }
  }
  bar.stop();
  for (const name of watch.unsound)
    console.error(`judges nothing here, since the kernel without a fault fails it: ${name}`);
  await writeResults(path, known);
  return mutants.map((mutant) => known.get(keyOf(mutant))!);
}

/** Says what is not as it should be. */
function report(results: readonly Result[], entries: readonly Entry[], stale: readonly string[]): void {
  const faults = [
    ...results
      .filter(({ mutant, verdict }) => verdict.outcome === 'survived' && !entryOf(entries, mutant))
      .map(({ mutant }) => `survived: ${mutant.shader}:${mutant.line} ${mutant.kind}: ${mutant.id}`),
    ...results
      .filter(({ mutant, verdict }) => verdict.outcome === 'killed' && entryOf(entries, mutant))
      .map(({ mutant }) => `listed as equivalent, but killed: ${mutant.shader}: ${mutant.id}`),
    ...stale.map((one) => `listed as equivalent, but there is no such mutant any more: ${one}`),
  ];
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
