/** What the page of a run is made from, damaged: predictions, the measures of an evaluation, and the metrics of all epochs. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRunReport } from '../../src/node/report/read-run.js';
import { evaluationJson } from '../../src/node/results.js';
import { evaluate, predictionsCsv } from '../../src/ptdpc/index.js';
import { runReport } from '../../src/report/index.js';
import { epochOf, runRecord, stepOf } from '../../test/support/run-record.js';
import { mutateJson } from '../mutate-json.js';
import { type FuzzedParser, MiB, maybeDamaged, utf8 } from '../parser.js';
import { damagedJson } from './json.js';

const RECORD = runRecord();
const WORDS = RECORD.classes.map(({ word }) => word);
const LABELS = Int32Array.of(0, 0, 1, 1);
const EVALUATION = evaluate(Float32Array.of(3, 1, 1, 2, 0, 4, 5, 1), LABELS, WORDS.length);
const PATHS = ['test/awe/a.jpg', 'test/awe/b, "c".jpg', '/elsewhere/test/great_joy/d.jpg', 'e.jpg'];
const CSV = predictionsCsv(WORDS, { paths: PATHS, labels: LABELS }, EVALUATION);
const SUMMARY = JSON.stringify({
  ...{ dataset: 'data', data: '/data', split: 'test', imagesSha256: '', predictionsSha256: '', epochs: 2 },
  ...{ device: 'CPU', ...evaluationJson(RECORD.classes, EVALUATION) },
});
const METRICS = [stepOf(0), epochOf(0), stepOf(1), { ...epochOf(1), valLoss: 1.5, valAccuracy: 0.25 }];
const LINES = METRICS.map((metrics) => JSON.stringify(metrics));

const RESULT = 'results/data-test.json';

let folder: string;

/** A run of two epochs that has been evaluated. */
async function prepare(scratch: string): Promise<void> {
  folder = join(scratch, 'fuzzed-run');
  await mkdir(join(folder, 'results'), { recursive: true });
  await writeFile(join(folder, 'run.json'), JSON.stringify(RECORD));
  await writeFile(join(folder, RESULT.replace('.json', '.csv')), CSV);
  await writeFile(join(folder, RESULT), SUMMARY);
  await writeFile(join(folder, 'metrics.jsonl'), LINES.join('\n'));
}

const memory = (length: number) => 64 * MiB + 64 * length;

export const predictions: FuzzedParser = {
  name: 'predictions',
  what: 'predictions of a result, read by the report',
  prepare,
  make: (random) => maybeDamaged(maybeDamaged(utf8(CSV), random), random),
  async read(input) {
    await writeFile(join(folder, RESULT.replace('.json', '.csv')), input);
    await readRunReport(folder);
  },
  names: 'fuzzed-run',
  memory,
};

export const evaluated: FuzzedParser = {
  name: 'run-page',
  what: 'metrics.jsonl and the measures of a result, made into a page',
  prepare,
  make(random) {
    // The first byte says which file the rest is.
    if (random.oneIn(3)) return utf8(`c${new TextDecoder().decode(damagedJson(SUMMARY, random))}`);
    const lines = LINES.map((line) => (random.oneIn(4) ? mutateJson(line, random) : line));
    return utf8(`m${new TextDecoder().decode(maybeDamaged(utf8(`${lines.join('\n')}\n`), random))}`);
  },
  async read(input) {
    const isSummary = input[0] === 'c'.charCodeAt(0);
    await writeFile(join(folder, RESULT), isSummary ? input.subarray(1) : SUMMARY);
    await writeFile(join(folder, 'metrics.jsonl'), isSummary ? LINES.join('\n') : input.subarray(1));
    runReport(await readRunReport(folder));
  },
  names: 'fuzzed-run',
  memory,
};
