/** The fuzzer's command line: `npm run fuzz -- --help`. README.md says what it is for. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker } from 'node:worker_threads';
import { Command, Option } from 'commander';
import { parseInteger, parseSeed } from '../src/cli/options.js';
import { table } from '../src/cli/tables.js';
import { packageRoot } from '../src/node/package.js';
import { judge } from './judge.js';
import { type FuzzedParser, MiB } from './parser.js';
import { PARSERS } from './parsers/index.js';
import { Random } from './random.js';
import { type Failure, MOST_HEAP_MIB, type Result, Threads, watch } from './watchdog.js';
import { work } from './worker.js';

/** Enough for the upper end of a stack trace. */
const LONGEST_PROBLEM = 600;

interface Flags {
  parser?: string;
  cases: number;
  first: number;
  seed: number;
  replay?: string;
  json?: boolean;
}

if (isMainThread) {
  await new Command('fuzz')
    .description(
      'Feeds damaged and lying files to every parser. Exits with 1 where one crashes, hangs or takes too much memory.',
    )
    .addOption(new Option('--parser <name>', 'only this one').choices(PARSERS.map(({ name }) => name)))
    .option('--cases <n>', 'cases of each parser', parseInteger(1, 2 ** 31 - 1), 1000)
    .option('--first <n>', 'the case to begin with', parseInteger(0, 2 ** 31 - 1), 0)
    .option('--seed <n>', 'seed of the cases', parseSeed, 1)
    .option('--replay <file>', 'read a saved input once, with the parser that --parser names')
    .option('--json', 'print an array of results')
    .action((flags: Flags) => (flags.replay === undefined ? fuzz(flags) : replay(flags, flags.replay)))
    .parseAsync();
} else {
  work(PARSERS);
}

async function fuzz({ parser: only, cases, first, seed, json }: Flags): Promise<void> {
  const results: (Result & { parser: string; cases: number; seed: number })[] = [];
  await using threads = new Threads(startWorker);
  for (const parser of PARSERS.filter(({ name }) => only === undefined || name === only)) {
    const round = { parser: parser.name, seed, first, end: first + cases };
    const result = await watch(round, threads);
    results.push({ parser: parser.name, cases, seed, ...result });
    if (!json) console.log(line(parser, result));
    if (result.failures.length > 0) await reportFailures(parser, seed, result);
  }
  if (json) console.log(JSON.stringify(results, null, 2));
  else console.log(`\n${resultTable(results)}`);
}

function startWorker(): Worker {
  return new Worker(fileURLToPath(import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MIB } });
}

function line({ name, what }: FuzzedParser, { read, rejected, failures }: Result): string {
  return `${name} (${what}): ${read} read, ${rejected} rejected, ${failures.length} failed`;
}

function resultTable(results: readonly (Result & { parser: string; cases: number })[]): string {
  const rows = results.map((result) => [
    ...[
      result.parser,
      String(result.cases),
      String(result.read),
      String(result.rejected),
      String(result.failures.length),
    ],
    ...[result.slowest.toFixed(0), (result.mostMemory / MiB).toFixed(1), (result.mostResident / MiB).toFixed(0)],
  ]);
  return table([['parser', 'cases', 'read', 'rejected', 'failed', 'slowest ms', 'most MiB', 'resident MiB'], ...rows]);
}

/** Says which cases failed, one of each kind, and keeps their inputs. */
async function reportFailures(parser: FuzzedParser, seed: number, { failures }: Result): Promise<void> {
  process.exitCode = 1;
  const folder = join(packageRoot(), '.cache', 'fuzz');
  await mkdir(folder, { recursive: true });
  const kinds = new Map<string, Failure[]>();
  for (const failure of failures) kinds.set(kindOf(failure), [...(kinds.get(kindOf(failure)) ?? []), failure]);
  await prepared(parser, async () => {
    for (const [{ index, problem }, ...others] of kinds.values() as Iterable<[Failure, ...Failure[]]>) {
      const path = join(folder, `${parser.name}-${seed}-${index}`);
      await writeFile(path, parser.make(Random.ofCase(parser.name, seed, index)));
      const more = others.length > 0 ? ` (and ${others.length} like it)` : '';
      console.error(`${parser.name}, seed ${seed}, case ${index}${more}: ${problem.slice(0, LONGEST_PROBLEM)}`);
      console.error(
        `  input saved; again: npm run fuzz -- --parser ${parser.name} --replay ${relative(process.cwd(), path)}`,
      );
    }
  });
}

/** Failures whose problem begins alike, numbers and folders aside. */
function kindOf({ problem }: Failure): string {
  const [first, place = ''] = problem
    .replace(/\/\S*\//g, '')
    .replace(/\d+/g, '0')
    .split('\n');
  return `${first}${place}`.slice(0, 150);
}

async function replay({ parser: name }: Flags, path: string): Promise<void> {
  const parser = PARSERS.find((one) => one.name === name);
  if (!parser) throw new Error('--replay needs --parser');
  const input = await readFile(path);
  await prepared(parser, async () => {
    const verdict = await judge(parser, new Uint8Array(input));
    console.log(JSON.stringify(verdict, null, 2));
    if (verdict.outcome === 'failed') process.exitCode = 1;
  });
}

/** Runs `body` with a parser that has what it needs. */
async function prepared(parser: FuzzedParser, body: () => Promise<void>): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'ptdpc-fuzz-'));
  try {
    await parser.prepare?.(scratch);
    await body();
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
