/** What a study found: results.json, made into tables and a page. It passes between machines. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeExperimentReport } from '../../src/node/report/index.js';
import {
  leaderboard,
  leaderboardCsv,
  pairsCsv,
  parseStudyResults,
  studyLatex,
  studyMarkdown,
} from '../../src/ptdpc/study/index.js';
import { rights, seedOf, studyOf } from '../../test/ptdpc/study/support.js';
import { type FuzzedParser, MiB } from '../parser.js';
import { damagedJson } from './json.js';

const STUDY = studyOf(
  {
    'zero-shot': [seedOf(0, rights(8, 3), { train: 0 }), null],
    coop: [seedOf(0, rights(8, 5)), seedOf(1, rights(8, 6), { onTest: { candidates: 3, accuracy: 0.8 } })],
  },
  { shots: [1, null], datasets: ['d', 'e'] },
);

let folder: string;

export const studyResults: FuzzedParser = {
  name: 'study-results',
  what: 'results.json of a study, made into tables and a page',
  prepare: async (scratch) => {
    folder = join(scratch, 'fuzzed-study');
    await mkdir(folder);
  },
  make: (random) => damagedJson(JSON.stringify(STUDY), random),
  async read(input) {
    const path = join(folder, 'results.json');
    await writeFile(path, input);
    const found = parseStudyResults(await readFile(path, 'utf8'), path);
    const board = leaderboard(found);
    for (const write of [studyMarkdown, studyLatex, leaderboardCsv]) write(found, board);
    pairsCsv(board);
    await writeExperimentReport(folder);
  },
  names: 'fuzzed-study',
  memory: (length) => 128 * MiB + 64 * length,
};
