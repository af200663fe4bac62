/** Data sets whose images have votes for several classes: what is evaluated of them, and training on them. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { DISTRIBUTION_MEASURE_NAMES, type DistributionScores, distributionScores } from '../../../src/ptdpc/index.js';
import { expectRefused, ptdpcJson, scratchPath, setUpProgram } from '../program.js';
import { CLASSES, expectDone, readMetrics, readRunFile, readRunJson, setUpModelAndImages } from './support.js';

setUpProgram();
setUpModelAndImages();

/** The votes of each image by its path, in the order of the columns: some people see the next class, in the first image half of them do. */
const votes = new Map<string, number[]>();

beforeAll(async () => {
  const lines = [`path,split,${CLASSES.map((name) => `votes(${name})`).join()}`];
  for (const split of ['train', 'val', 'test']) {
    for (const [c, folder] of CLASSES.entries()) {
      for (const [i, name] of (await readdir(scratchPath(`data/${split}/${folder}`))).sort().entries()) {
        const own = CLASSES.map((_, k) => (k === c ? 3 : k === (c + 1) % 3 ? Math.max(0, 3 - i) : 0));
        votes.set(`${split}/${folder}/${name}`, own);
        lines.push([`${split}/${folder}/${name}`, split, ...own].join());
      }
    }
  }
  await writeFile(scratchPath('data/votes.csv'), `${lines.join('\n')}\n`);
});

const zeroShot = (...more: string[]) => [
  ...['zeroshot', '--model', 'model', '--data', 'data/votes.csv', '--device', 'cpu', '--out', 'plain', ...more],
];

/** The mean of each measure from a result's table of predictions. */
async function expected(run: string, result: string): Promise<DistributionScores> {
  const [, ...lines] = (await readRunFile(run, result)).toString().trimEnd().split('\n');
  const all = lines.map((line) => {
    const [path = '', , , ...cells] = line.split(',');
    const own = votes.get(path)!;
    const sum = own.reduce((a, b) => a + b);
    const p = cells.map(Number);
    return distributionScores(
      own.map((count) => count / sum),
      p,
      p.map(Math.log),
    );
  });
  const mean = (name: keyof DistributionScores) => all.reduce((sum, scores) => sum + scores[name], 0) / all.length;
  return Object.fromEntries(DISTRIBUTION_MEASURE_NAMES.map((name) => [name, mean(name)])) as Record<
    keyof DistributionScores,
    number
  >;
}

describe('zeroshot', () => {
  test('measures how far the probabilities are from the votes, in the result, in JSON, for people and in the report', async () => {
    const json = await ptdpcJson<{ distribution: DistributionScores; count: number }>(zeroShot());
    expect(json.count).toBe(9);
    const means = await expected('plain', 'results/votes-test.csv');
    for (const name of DISTRIBUTION_MEASURE_NAMES) expect(json.distribution[name], name).toBeCloseTo(means[name], 5);
    expect(await readRunJson('plain', 'results/votes-test.json')).toMatchObject({ distribution: json.distribution });

    const { stdout, stderr } = await expectDone(zeroShot());
    // The first image of each class in each split.
    expect(stderr).toContain('warning: 9 of 30 images with votes have several classes with most of them');
    expect(stdout).toMatch(/\nlabel distributions +mean +better\nKullback–Leibler divergence +\d\.\d{4} +lower\n/);
    expect(stdout).toContain(`intersection                 ${json.distribution.intersection.toFixed(4)}  higher`);
    await expectDone(['report', '--run', 'plain', '--out', 'plain.html']);
    const page = await readFile(scratchPath('plain.html'), 'utf8');
    expect(page).toContain('aria-label="Measures of label distributions"');
  });

  test('tells results of the same images with other votes apart', async () => {
    const others = (await readFile(scratchPath('data/votes.csv'), 'utf8')).replaceAll(',3,2,0', ',3,1,0');
    await writeFile(scratchPath('data/other.csv'), others);
    const [before, now] = [await readRunJson('plain', 'results/votes-test.json'), await other()];
    expect(now.imagesSha256).not.toBe(before.imagesSha256);
    async function other() {
      await expectDone(['eval', '--run', 'plain', '--data', 'data/other.csv', '--device', 'cpu']);
      return await readRunJson('plain', 'results/other-test.json');
    }
  });
});

describe('train --loss kl', () => {
  const train = (data: string, out: string, epochs = '2') => [
    ...['train', '--model', 'model', '--data', data, '--out', out, '--device', 'cpu', '--loss', 'kl'],
    ...['--epochs', epochs, '--batch-size', '8', '--lr', '0.01'],
  ];

  test('trains on the votes, records it, and its validation loss is what eval finds', async () => {
    await expectDone(train('data/votes.csv', 'voted'));
    expect(await readRunJson('voted')).toMatchObject({ options: { loss: 'kl' } });
    const { epochs } = await readMetrics('voted');
    const { distribution } = await ptdpcJson<{ distribution: DistributionScores }>([
      ...['eval', '--run', 'voted', '--split', 'val', '--device', 'cpu'],
    ]);
    expect(epochs.at(-1)!.valLoss).toBeCloseTo(distribution.kullbackLeibler, 6);
    await expectDone(['report', '--run', 'voted', '--no-prompts', '--out', 'voted.html']);
    const page = await readFile(scratchPath('voted.html'), 'utf8');
    expect(page).toContain('<th scope="row">loss</th><td>Kullback–Leibler divergence from the votes</td>');
    expect(page).toContain('aria-label="Mean share of each class, of the votes and as predicted"');
    expect(page).toContain('The Kullback–Leibler divergence of the predicted distributions from those of the votes.');
    expect(page).toMatch(/aria-label="Measures of label distributions">.*zero-shot.*tuned prompts/s);
  });

  test('resumes with the same votes only, and refuses data without votes before anything is encoded', async () => {
    const others = (await readFile(scratchPath('data/votes.csv'), 'utf8')).replaceAll(',3,3,0', ',4,3,0');
    await writeFile(scratchPath('data/changed.csv'), others);
    await expectRefused(train('data/changed.csv', 'voted', '2'), /voted.*other/);
    await expectRefused(train('data', 'none'), /--loss kl: expected images with votes for their classes/);
  });
});
