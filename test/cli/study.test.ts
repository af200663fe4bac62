/** `experiment run-grid` and `experiment learners`: the same numbers as the commands that they stand for, restarts, and what is refused. */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ExperimentResults } from '../../src/ptdpc/experiment/index.js';
import type { StudyResults } from '../../src/ptdpc/study/index.js';
import { writePublished } from '../support/published-datasets.js';
import { expectRefused, outcomeOf, ptdpc, ptdpcJson, scratchPath, setUpProgram, startPtdpc } from './program.js';
import { expectDone, makeImages, makeModel } from './tuning/support.js';

setUpProgram();

/** Every kind of learner, in a few steps each. */
const LEARNERS = [
  { learner: 'zero-shot' },
  { learner: 'coop', options: { context: 2, epochs: 3 } },
  { learner: 'pt-dpc', options: { epochs: 2 }, lr: [0.1, 0.01] },
  { learner: 'cocoop', options: { epochs: 2, initWords: 'a photo' } },
  { learner: 'tip-adapter-f', options: { epochs: 2 } },
  { learner: 'linear-probe', options: { iterations: 5 } },
  { learner: 'probe', options: { epochs: 2 } },
] as const;

const STUDY = {
  title: 'Shapes',
  model: 'model',
  data: [{ name: 'shapes', path: 'data' }],
  shots: [1, 2],
  seeds: 2,
  learners: LEARNERS as readonly object[],
};

async function writeStudy(name: string, changes: object = {}): Promise<string> {
  await writeFile(scratchPath(name), JSON.stringify({ ...STUDY, ...changes }));
  return name;
}

const grid = (file: string, out: string, ...more: string[]) => [
  ...['experiment', 'run-grid', file, '--out', out, '--device', 'cpu'],
  ...more,
];

/** Everything that must be the same whenever and wherever it was computed. */
const numbers = (results: StudyResults) =>
  JSON.stringify(results, (key, value: unknown) => (key === 'seconds' ? 0 : value));

let whole: StudyResults;

beforeAll(async () => {
  await makeModel(scratchPath('model'));
  await makeImages(scratchPath('data'));
  await writePublished(scratchPath('published/FI'), 'fi8');
  await writeStudy('study.json');
  whole = await ptdpcJson<StudyResults>(grid('study.json', 'whole'));
});

test('every learner has a result at every number of images and seed, with its cost', () => {
  expect(whole.cells).toHaveLength(2 * LEARNERS.length);
  for (const { row, shots, seeds, missing } of whole.cells) {
    expect([row, missing, seeds.map(({ seed }) => seed)]).toEqual([row, [], [0, 1]]);
    for (const { count, correct, accuracy, train, cost, onTest } of seeds) {
      expect(correct).toMatch(/^[01]{9}$/);
      expect(accuracy).toBeCloseTo(correct.replaceAll('0', '').length / count, 12);
      const nothing = row === 'zero-shot';
      expect(train).toBe(nothing ? 0 : 3 * shots!);
      for (const value of [cost.seconds, cost.flops!, cost.parameters, cost.peakBytes])
        if (nothing) expect(value).toBe(0);
        else expect(value, row).toBeGreaterThan(0);
      if (nothing) expect(onTest).toBeNull();
      else expect(onTest!.accuracy, row).toBeGreaterThanOrEqual(accuracy);
    }
  }
  const [first] = whole.cells.find(({ row }) => row === 'pt-dpc')!.seeds;
  // Two rates, two epochs of each.
  expect(first!.onTest!.candidates).toBe(4);
  const images = new Set(whole.cells.flatMap(({ seeds }) => seeds.map(({ imagesSha256 }) => imagesSha256)));
  expect(images.size).toBe(1);
});

test('a task is the run of train --shots: the same images, the same prompts, and eval takes it', async () => {
  const task = 'whole/runs/shapes.coop.shots2.seed1/lr-0.002';
  const options = ['--learner', 'coop', '--context', '2', '--epochs', '3', '--shots', '2', '--seed', '1'];
  await expectDone(['train', '--model', 'model', '--data', 'data', '--out', 'alone', ...options, '--device', 'cpu']);
  for (const file of ['images.csv', 'prompts.safetensors'])
    expect((await readFile(scratchPath(join(task, file)))).equals(await readFile(scratchPath(`alone/${file}`)))).toBe(
      true,
    );
  const { accuracy } = await ptdpcJson<{ accuracy: number }>(['eval', '--run', task, '--device', 'cpu']);
  const cell = whole.cells.find(({ row, shots }) => row === 'coop' && shots === 2);
  expect(accuracy).toBe(cell!.seeds[1]!.accuracy);
  const { choice } = JSON.parse(
    await readFile(scratchPath('whole/runs/shapes.linear-probe.shots2.seed1/features/run.json'), 'utf8'),
  ) as { choice: unknown[] };
  expect(choice.length).toBeGreaterThan(1);
});

describe('interrupted', () => {
  test('two processes and one that was killed give the same numbers', async () => {
    await expectDone(grid('study.json', 'shared', '--plan-only'));
    const run = (...share: string[]) => ['experiment', 'run', '--out', 'shared', '--device', 'cpu', ...share];
    const killed = startPtdpc(run());
    const ended = outcomeOf(killed);
    const names = async () => await readdir(scratchPath('shared/runs')).catch(() => []);
    while (!(await names()).some((name) => name.includes('pt-dpc'))) await new Promise((done) => setTimeout(done, 5));
    killed.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    for (const outcome of await Promise.all([run('--task', '1/2'), run('--task', '2/2')].map((args) => ptdpc(args))))
      expect(outcome.code, outcome.stderr).toBe(0);
    const together = await ptdpcJson<StudyResults>(['experiment', 'collect', '--out', 'shared']);
    expect(numbers(together)).toBe(numbers(whole));
  });

  test('a training that begins again looks at every epoch, whatever a killed process has left of its notes', async () => {
    const task = 'whole/runs/shapes.coop.shots2.seed0';
    const file = await writeStudy('three.json', { shots: [2], seeds: 1, learners: [LEARNERS[1]] });
    await expectDone(grid(file, 'three'));
    // As a process leaves it that ends while it notes its first epoch.
    const place = scratchPath('three/runs/shapes.coop.shots2.seed0');
    const onTest = await readFile(join(place, 'study/on-test.json'), 'utf8');
    expect(JSON.parse(onTest)).toMatchObject({ count: 3 });
    await rm(join(place, 'lr-0.002/results'), { recursive: true });
    await rm(join(place, 'lr-0.002/state.safetensors'));
    await rm(join(place, 'lr-0.002/prompts.safetensors'));
    await rm(join(place, 'lr-0.002/metrics.jsonl'));
    await rm(join(place, 'study'), { recursive: true });
    await mkdir(join(place, 'study/epochs'), { recursive: true });
    await writeFile(
      join(place, 'study/epochs/lr-0.002.jsonl'),
      '\n{"epoch":1,"seconds":1,"flops":1,"peakBytes":1,"learned":"AA',
    );
    const again = await ptdpcJson<StudyResults>(grid(file, 'three'));
    expect(await readFile(join(place, 'study/on-test.json'), 'utf8')).toBe(onTest);
    expect(again.cells[0]!.seeds[0]!.accuracy).toBe(
      whole.cells.find(({ row, shots }) => row === 'coop' && shots === 2)!.seeds[0]!.accuracy,
    );
    expect(await readdir(scratchPath(task))).toEqual(await readdir(place));
  });
});

test('what choosing on the test images gives is in no way an input: without it, all trainings are the same to the last bit', async () => {
  const without = await ptdpcJson<StudyResults>(grid('study.json', 'without', '--no-test-selection'));
  const cells = without.cells.map((cell) => ({ ...cell, seeds: cell.seeds.map(({ onTest }) => onTest) }));
  expect(cells.flatMap(({ seeds }) => seeds)).toEqual(cells.flatMap(({ seeds }) => seeds.map(() => null)));
  const blind = (results: StudyResults) =>
    JSON.stringify(results, (key, value: unknown) => (['seconds', 'onTest', 'leaderboard'].includes(key) ? 0 : value));
  expect(blind(without)).toBe(blind(whole));
  for (const name of await readdir(scratchPath('whole/runs'))) {
    for (const run of (await readdir(scratchPath(`whole/runs/${name}`))).filter((run) => run !== 'study')) {
      for (const file of ['prompts.safetensors', 'learned.safetensors', 'probe.safetensors']) {
        const bytes = async (out: string) =>
          (await readFile(scratchPath(`${out}/runs/${name}/${run}/${file}`)).catch(() => null))?.toString('base64');
        expect(await bytes('without'), `${name}/${run}/${file}`).toBe(await bytes('whole'));
      }
    }
  }
  await expectRefused(
    grid('study.json', 'whole', '--no-test-selection'),
    /a study with another testSelection \(true, now false\)/,
  );
});

test("the paper's Table 2 as a study has the accuracies of experiment table2", async () => {
  const quick = { epochs: 1, rates: [0.1, 0.01] };
  const table = JSON.parse(await readFile(new URL('../../docs/studies/table2.json', import.meta.url), 'utf8')) as {
    learners: { name: string; options: object }[];
  };
  const learners = table.learners.map((row) => ({
    ...row,
    options: { ...row.options, epochs: quick.epochs },
    lr: quick.rates,
  }));
  const data = [{ name: 'fi8', path: 'published/FI', dataset: 'fi8' }];
  await writeStudy('table2.json', { ...table, model: 'model', data, seeds: 2, learners });
  const study = await ptdpcJson<StudyResults>(grid('table2.json', 'table2-study'));
  const args = ['--data-root', 'published', '--datasets', 'fi8', '--model', 'model', '--out', 'table2', '--seeds', '2'];
  const [paper] = await ptdpcJson<ExperimentResults[]>([
    ...['experiment', 'table2', ...args, '--epochs', '1', '--lr', '0.1,0.01', '--device', 'cpu'],
  ]);
  const measured = (cells: readonly { seeds: readonly { accuracy: number; loss: number }[] }[]) =>
    cells.map(({ seeds }) => seeds.map(({ accuracy, loss }) => [accuracy, loss]));
  expect(measured(study.cells)).toEqual(measured(paper!.cells));
});

test('experiment learners is a study that it writes: run-grid finds it done', async () => {
  const args = ['--data-root', 'published', '--datasets', 'fi8', '--model', 'model', '--out', 'learners'];
  const more = ['--learners', 'tip-adapter', '--shots', '1,2,all', '--seeds', '1', '--device', 'cpu'];
  const made = await ptdpcJson<StudyResults>(['experiment', 'learners', ...args, ...more]);
  expect(made.rows.map(({ name }) => name)).toEqual(['zero-shot', 'tip-adapter']);
  expect(made.shots).toEqual([1, 2, null]);
  await cp(scratchPath('learners/learners.json'), scratchPath('again.json'));
  const { stderr } = await expectDone(grid('again.json', 'learners'));
  expect(stderr).toContain('4 tasks of 4, 4 done before');
});

describe('what is refused, in a line', () => {
  const refused = async (changes: object, message: RegExp, ...more: string[]) =>
    await expectRefused(grid(await writeStudy('wrong.json', changes), 'refused', ...more), message);

  test('a file that is none, and one that is not there', async () => {
    await refused(
      { learners: [{ learner: 'cop' }] },
      /wrong\.json: learners\[0\] \(cop\): expected one of .*did you mean coop/,
    );
    await refused({ shots: [] }, /wrong\.json: shots: expected at least one/);
    await expectRefused(grid('nowhere.json', 'refused'), /nowhere\.json: cannot be opened/);
  });

  test('data sets that are not there, or have nothing to test on', async () => {
    await refused({ data: [{ name: 'a', path: 'nowhere' }] }, /nowhere: not found/);
    await makeImages(scratchPath('untested'), { train: 2, val: 1 });
    await refused({ data: [{ name: 'a', path: 'untested' }] }, /untested: no test images .*add a folder test/);
  });

  test('a choice that has nothing to choose by', async () => {
    await makeImages(scratchPath('unvalidated'), { train: 2, test: 1 });
    const data = [{ name: 'a', path: 'unvalidated' }];
    await refused(
      { data, learners: [{ learner: 'coop', lr: 'auto' }] },
      /coop on a: "lr" with several rates: expected validation images/,
    );
    await refused(
      { data, learners: [{ learner: 'coop', keep: 'best' }] },
      /coop on a: keep "best": expected validation images/,
    );
    await refused({ learners: [{ learner: 'pt-dpc', options: { loss: 'kl' } }] }, /pt-dpc on shapes: .*votes/);
  });

  test('no model, another model, another study, and a folder of something else', async () => {
    await refused({ model: undefined }, /--model <dir> or "model" in the file: missing/);
    await refused({ model: 'nowhere' }, /nowhere/);
    await cp(scratchPath('model'), scratchPath('other'), { recursive: true });
    const weights = scratchPath('other/model.safetensors');
    const bytes = await readFile(weights);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(weights, bytes);
    await expectRefused(
      grid('study.json', 'whole', '--model', 'other'),
      /whole\/study\.json: a study of another model \(.*model, now .*other\); choose another --out/,
    );
    await expectRefused(
      grid(await writeStudy('changed.json', { learners: [{ learner: 'coop', options: { context: 3 } }] }), 'whole'),
      /whole\/study\.json: a study with another coop .*choose another --out or another "name"/,
    );
    await expectRefused(grid('study.json', 'data'), /--out data: expected a study or an empty folder, found test/);
  });

  test('learners of options: neither data nor a demonstration', async () => {
    await expectRefused(
      ['experiment', 'learners', '--out', 'refused'],
      /either --data-root <dir> with data sets, or --demo/,
    );
    await expectRefused(
      ['experiment', 'learners', '--demo', '--learners', 'cop', '--out', 'refused'],
      /Expected some of .*found cop/,
    );
    await expectRefused(
      ['experiment', 'learners', '--demo', '--shots', '0', '--out', 'refused'],
      /whole numbers from 1 on, or all/,
    );
  });
});

test('a class with fewer images than asked for is said, and all of them are used', async () => {
  const { stderr, stdout } = await expectDone(
    grid(await writeStudy('many.json', { shots: [16], learners: [{ learner: 'tip-adapter' }] }), 'many'),
  );
  expect(stderr).toContain(
    'shapes: shots 16: fewer training images in awe 5, great_joy 5, sadness 5; all of them are used',
  );
  expect(stdout).toContain('Tip-Adapter');
});

test('images that cannot be read are left out and counted; --strict refuses them', async () => {
  await makeImages(scratchPath('damaged'), { train: 2, val: 1, test: 2 });
  for (const split of ['train', 'test']) await writeFile(scratchPath(`damaged/${split}/awe/bad.png`), 'no image');
  const data = [{ name: 'damaged', path: 'damaged' }];
  const file = await writeStudy('damaged.json', {
    data,
    shots: ['all'],
    seeds: 1,
    learners: [{ learner: 'tip-adapter' }],
  });
  const { stderr } = await expectDone(grid(file, 'damaged-study'));
  expect(stderr).toContain('damaged.tip-adapter.shotsall.seed0: accuracy');
  expect(stderr).toContain('of 6 images, without 2 images that could not be read');
  expect(stderr).toContain('images that could not be read were left out, up to 2 in a task');
  const { code, stderr: refused } = await ptdpc(grid(file, 'strict-study', '--strict'));
  expect(code).toBe(2);
  expect(refused.trimEnd().split('\n').at(-1)).toMatch(/^ptdpc: .*bad\.png/);
});
