import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { encodePng } from '../../../src/clip/image/index.js';
import { rememberFolder } from '../../../src/node/known-folders.js';
import { writeExperimentReport } from '../../../src/node/report/index.js';
import { StudyFolder } from '../../../src/node/study/index.js';
import { RESULTS_FORMAT } from '../../../src/ptdpc/experiment/index.js';
import { leaderboard } from '../../../src/ptdpc/study/index.js';
import { sampleStudy } from '../../report/study-support.js';
import { scratchFolder } from '../scratch.js';

const scratch = scratchFolder();

beforeAll(async () => {
  process.env.PTDPC_CACHE = scratch('cache');
  await rememberFolder(scratch(''));
});

it('writes one page of the experiments below a folder, with pictures from the settings’ own folders', async () => {
  const folder = scratch('results');
  await mkdir(join(folder, 'figure5'), { recursive: true });
  await writeFile(scratch('a.png'), encodePng(new Uint8Array(8 * 8 * 3), 8, 8));
  const seen = { seed: 0, kind: 'right', actual: 'x', predicted: 'x', probability: 1, probabilities: [1, 0] };
  const results = {
    format: RESULTS_FORMAT,
    experiment: 'figure5',
    title: 'Cases',
    source: null,
    demonstration: true,
    made: { program: '0', preset: 'paper', model: { name: 'm', sha256: 'ab' }, seeds: [0], devices: [] },
    settings: [{ name: 's', label: 'S', root: scratch('.'), classes: ['x', 'y'] }],
    variants: [],
    cells: [],
    quoted: [],
    spread: [],
    cases: ['a.png', 'gone.png'].map((path) => ({ ...seen, setting: 's', path })),
  };
  const path = join(folder, 'figure5', 'results.json');
  await writeFile(path, JSON.stringify(results));
  const page = await readFile(await writeExperimentReport(folder), 'utf8');
  expect(page.match(/src="data:image\/jpeg;base64,/g)).toHaveLength(1);
  expect(page.match(/picture not found/g)).toHaveLength(1);
  expect(page).toContain('A demonstration');
  await writeFile(path, JSON.stringify({ ...results, format: 0 }));
  await expect(writeExperimentReport(folder)).rejects.toThrow(/figure5\/results\.json: expected the results/);
  await expect(writeExperimentReport(scratch('nowhere'))).rejects.toThrow(/nowhere\/results\.json: not found/);
});

it('writes the page of a study from what its folder has, alone', async () => {
  const study = sampleStudy();
  const folder = scratch('study');
  await mkdir(folder);
  await new StudyFolder(folder).writeResults(study, leaderboard(study));
  expect((await readdir(folder)).sort()).toEqual([
    ...['leaderboard.csv', 'pairs.csv', 'results.json', 'study.md', 'study.tex'],
  ]);
  const page = await readFile(await writeExperimentReport(folder), 'utf8');
  expect(page).toContain('accuracy against training images per class');
  await writeFile(join(folder, 'results.json'), '{"rows":[],"shots":[]}');
  await expect(writeExperimentReport(folder)).rejects.toThrow(/results\.json: expected the results of a study/);
});
