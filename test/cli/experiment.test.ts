/** `experiment`: the paper's tables on generated data in the published layouts; restarts, several processes, and what is refused. */
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { confusionMatrix } from '../../src/ptdpc/confusion.js';
import type { ExperimentResults } from '../../src/ptdpc/experiment/index.js';
import { writePublished } from '../support/published-datasets.js';
import {
  expectRefused,
  fixture,
  outcomeOf,
  ptdpc,
  ptdpcJson,
  scratchPath,
  setUpProgram,
  startPtdpc,
} from './program.js';
import { expectDone, makeModel } from './tuning/support.js';

setUpProgram();

const SETTINGS = { FI: 'fi8', EmotionROI: 'emotionroi6', 'Twitter I': 'twitter1', twitter_2: 'twitter2' } as const;

beforeAll(async () => {
  await makeModel(scratchPath('model'));
  for (const [folder, setting] of Object.entries(SETTINGS)) {
    await writePublished(scratchPath(`data/${folder}`), setting, { perClass: { train: 3, val: 1, test: 2 } });
  }
});

/** One epoch, two rates, one seed. */
const QUICK = ['--epochs', '1', '--lr', '0.1,0.01', '--seeds', '1'];
const planArgs = (out: string, ...more: string[]) => [
  ...['--data-root', 'data', '--model', 'model', '--out', out, ...QUICK],
  ...more,
];

const readResults = async (out: string, name: string) =>
  JSON.parse(await readFile(scratchPath(`${out}/${name}/results.json`), 'utf8')) as ExperimentResults;

/** Of Table 4's encoders, those that have random weights here; DeiT is the ViT of the fixtures. */
const STAND_INS = ['AlexNet', 'VGG16', 'ResNet101', 'BEiT'] as const;
const encoders = () => [
  '--encoders',
  [fixture('vit-tiny/vit.pth'), ...STAND_INS.map((arch) => `encoders/${arch}`)].join(','),
];

/** Everything that must be the same whenever and wherever it was computed. */
const numbers = (results: ExperimentResults) =>
  JSON.stringify(results, (key, value: unknown) => (key === 'seconds' ? 0 : value));

describe('all of them, on the layouts in which the data sets are published', () => {
  let all: ExperimentResults[];

  beforeAll(async () => {
    for (const arch of STAND_INS)
      await expectDone(['random-model', '--arch', arch, '--small', '--out', `encoders/${arch}`, '--json']);
    const { stdout } = await expectDone([
      'experiment',
      'all',
      ...planArgs('all', ...encoders()),
      '--device',
      'cpu',
      '--json',
    ]);
    all = JSON.parse(stdout) as ExperimentResults[];
  });

  test('every experiment has its settings, and every cell its seeds and the figure of the paper', () => {
    expect(all.map(({ experiment }) => experiment)).toEqual([
      'table1',
      'table2',
      'table3',
      'table4',
      'figure4',
      'figure5',
    ]);
    const six = ['fi8', 'emotionroi6', 'fi2', 'emotionroi2', 'twitter1', 'twitter2'];
    for (const { experiment, settings, variants, cells } of all) {
      const columns = { figure4: six.slice(0, 2), figure5: ['fi8', 'emotionroi6', 'twitter1', 'twitter2'] };
      expect(settings.map(({ name }) => name)).toEqual(Reflect.get(columns, experiment) ?? six);
      expect(cells).toHaveLength(settings.length * variants.length);
      for (const cell of cells) {
        expect(cell.seeds.map(({ seed }) => seed)).toEqual([0]);
        const own = ['zero-shot', ...STAND_INS.map((arch) => arch.toLowerCase())];
        expect(cell.paper === null).toBe(own.includes(cell.variant));
        for (const { choice, learningRate } of cell.seeds) {
          expect(choice.map((one) => one.learningRate)).toEqual(cell.variant === 'zero-shot' ? [] : [0.1, 0.01]);
          expect(learningRate === null).toBe(cell.variant === 'zero-shot');
        }
      }
    }
  });

  test('the files are there: tables for people, predictions and runs of every task', async () => {
    expect((await readdir(scratchPath('all/table2'))).sort()).toEqual([
      'report.html',
      'results.json',
      'table2.md',
      'table2.tex',
    ]);
    expect(await readFile(scratchPath('all/table2/table2.md'), 'utf8')).toMatch(/\| both \(PT-DPC\) \|.*paper 78\.07/);
    expect(await readResults('all', 'table2')).toEqual(all[1]);
    expect(await readFile(scratchPath('all/figure5/report.html'), 'utf8')).toMatch(/src="data:image\/jpeg;base64,/);
    expect((await readdir(scratchPath('all'))).filter((name) => !/^(table|figure)\d$/.test(name)).sort()).toEqual([
      ...['cache', 'claims', 'plan.json', 'runs'],
    ]);
    // EmotionROI has no validation images: the choice is made on held-out ones, and the training repeated on all.
    const runs = (task: string) => readdir(scratchPath(`all/runs/${task}`));
    expect((await runs('emotionroi6.both.seed0')).sort()).toEqual(['final', 'lr-0.01', 'lr-0.1']);
    expect((await runs('fi8.both.seed0')).sort()).toEqual(['lr-0.01', 'lr-0.1']);
    expect([await runs('fi8.zero-shot.seed0'), await runs('fi8.clip.seed0')]).toEqual([['zero-shot'], ['probe']]);
    expect(await readdir(scratchPath('all/claims'))).toEqual(
      expect.arrayContaining([expect.stringMatching(/^features-.*done$/)]),
    );
    expect((await readdir(scratchPath('all/claims'))).filter((name) => !name.endsWith('.done'))).toEqual([]);
  });

  test("Table 4 has a row of every encoder in the paper's order, and says which have random weights", async () => {
    const { variants } = all.find(({ experiment }) => experiment === 'table4')!;
    expect(variants.map(({ label }) => label)).toEqual([
      ...['AlexNet (random)', 'VGG16 (random)', 'ResNet101 (random)', 'DeiT', 'BEiT (random)'],
      ...['CLIP-ViT', 'CLIP', 'PT-DPC'],
    ]);
    const table = await readFile(scratchPath('all/table4/table4.md'), 'utf8');
    expect(table).toContain('Not the published encoder: a small stand-in with random weights.');
    expect(table).toContain("Images prepared in the encoder's own way (--preprocess own).");
  });

  test("Table 4's probes are those of `ptdpc probe` on the same data", async () => {
    const { cells } = all.find(({ experiment }) => experiment === 'table4')!;
    const encoders = {
      resnet101: ['--model', 'encoders/ResNet101'],
      deit: ['--model', fixture('vit-tiny/vit.pth')],
      'clip-vit': ['--model', 'model', '--features', 'pooled'],
      clip: ['--model', 'model', '--features', 'joint'],
    };
    for (const [variant, encoder] of Object.entries(encoders)) {
      const { choice, learningRate, ...found } = cells.find((cell) => cell.variant === variant)!.seeds[0]!;
      const options = ['--data', 'data/FI', '--dataset', 'fi8', '--epochs', '1', '--lr', String(learningRate)];
      const probe = await ptdpcJson<Record<string, unknown>>([
        ...['probe', ...encoder, ...options, '--out', `probe-${variant}`, '--device', 'cpu'],
      ]);
      const { accuracy, loss, confusionPairs } = found;
      expect(probe, variant).toMatchObject({ accuracy, loss, confusionPairs: confusionPairs.pairs });
      const best = Math.max(...choice.map(({ valAccuracy }) => valAccuracy));
      expect(choice.find((one) => one.learningRate === learningRate)?.valAccuracy).toBe(best);
    }
  });

  test('the seeds of Twitter I are its folds', async () => {
    const single = [
      '--data-root',
      'data',
      '--datasets',
      'twitter1',
      '--model',
      'model',
      '--out',
      'twitter',
      '--device',
      'cpu',
    ];
    await expectDone(['experiment', 'figure5', ...single, '--epochs', '1', '--lr', '0.1', '--seeds', '2']);
    const more = await expectDone([
      'experiment',
      'plan',
      'table2',
      ...single.slice(0, 6),
      '--out',
      'seven',
      '--seeds',
      '7',
    ]);
    expect(more.stderr).toMatch(/^Twitter I: 5 folds, so 5 seeds, not 7$/m);
    expect(more.stderr).toMatch(/seven: 20 tasks for table2 on Twitter I/);
    for (const seed of [0, 1]) {
      const text = await predictions('twitter', `twitter1.both.seed${seed}`);
      const lines = text.trim().split('\n').slice(1);
      expect(lines).toHaveLength(4);
      for (const line of lines) expect(line.startsWith(`${seed + 1}/test/`)).toBe(true);
    }
  });

  test('figure 4 is what the predictions of its images say', async () => {
    const figure = all.find(({ experiment }) => experiment === 'figure4')!;
    for (const { setting, confusionPairs, seeds } of figure.cells) {
      const { classes } = figure.settings.find(({ name }) => name === setting)!;
      const counted = classes.map(() => classes.map(() => 0));
      for (const { task } of seeds) {
        const [, ...lines] = (await predictions('all', task)).trim().split('\n');
        for (const line of lines) {
          const [actual, predicted] = line.split(',').slice(1) as [string, string];
          counted[classes.indexOf(actual)]![classes.indexOf(predicted)]!++;
        }
      }
      expect(confusionMatrix(confusionPairs)).toEqual(counted);
      for (const row of counted) expect(row.reduce((a, b) => a + b, 0)).toBe(2 * seeds.length);
    }
  });

  test('figure 5 names images that are there', async () => {
    const figure = all.find(({ experiment }) => experiment === 'figure5')!;
    expect(figure.cases.length).toBeGreaterThan(3);
    for (const { setting, path } of figure.cases) {
      const { root } = figure.settings.find(({ name }) => name === setting)!;
      expect((await stat(join(root, path))).isFile()).toBe(true);
    }
  });

  test('again: nothing is computed, and everything is the same', async () => {
    const before = await stat(await taskFile('all', 'fi8.both.seed0', 'json'));
    const { stderr } = await expectDone(['experiment', 'table2', ...planArgs('all'), '--device', 'cpu']);
    expect(stderr).toMatch(/(\d+) tasks of \1, \1 done before/);
    expect((await stat(await taskFile('all', 'fi8.both.seed0', 'json'))).mtimeMs).toBe(before.mtimeMs);
    expect(numbers(await readResults('all', 'table2'))).toBe(numbers(all[1]!));
  });

  test('in another folder, killed on the way and started again: every experiment has the same numbers', async () => {
    const args = ['experiment', 'all', ...planArgs('twice', ...encoders()), '--device', 'cpu'];
    const killed = startPtdpc(args);
    const ended = outcomeOf(killed);
    const done = async () => (await doneTasks('twice')).length;
    await waitFor(async () => (await done()) >= 10);
    killed.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    expect(await done()).toBeLessThan((await doneTasks('all')).length);
    const { stderr } = await expectDone(args);
    expect(stderr).toMatch(/(\d+) tasks of \1, \d\d done before/);
    for (const one of all) {
      const again = await readResults('twice', one.experiment);
      expect(again.cells.flatMap(({ missing }) => missing)).toEqual([]);
      expect(numbers(again), one.experiment).toBe(numbers(one));
    }
    const tasks = await doneTasks('all');
    expect(await doneTasks('twice')).toEqual(tasks);
    for (const name of tasks) {
      const [first, second] = ['all', 'twice'].map((out) => predictions(out, name));
      expect(await second, name).toBe(await first);
    }
  });

  test('two processes and one that was killed, on the same plan, give the same numbers', async () => {
    const plan = ['--data-root', 'data', '--datasets', 'fi8,twitter2', '--model', 'model', '--out', 'shared', ...QUICK];
    const { stdout, stderr } = await expectDone(['experiment', 'plan', 'table2', 'figure4', ...plan]);
    expect(stderr).toMatch(/shared: 8 tasks for table2, figure4 on FI 8, Twitter II/);
    expect(stderr).toContain('the prompts of all classes start equal and stay equal');
    expect(stdout).toMatch(
      /^about \d+ (?:s|min) on this device, .*: encoding \d+ images \d+ s, training \d+ (?:s|min)$/m,
    );
    const run = (task: string) => ['experiment', 'run', '--out', 'shared', '--task', task, '--device', 'cpu'];
    // Killed in the middle of a task, whose claim stays behind.
    const killed = startPtdpc(run('1/2'));
    const ended = outcomeOf(killed);
    await waitFor(async () => (await names('shared/claims')).some((name) => name.startsWith('fi8.')));
    killed.kill('SIGKILL');
    expect((await ended).signal).toBe('SIGKILL');
    const done = (await doneTasks('shared')).length;
    expect(done).toBeLessThan(4);
    // Once more the same share, beside the other one and one that takes whatever is left.
    const all_ = ['experiment', 'run', '--out', 'shared', '--device', 'cpu'];
    for (const outcome of await Promise.all([run('1/2'), run('2/2'), all_].map((args) => ptdpc(args)))) {
      expect(outcome.code, outcome.stderr).toBe(0);
    }
    await expectDone(['experiment', 'collect', '--out', 'shared', '--tables', 'tables']);
    const together = await readResults('tables', 'table2');
    expect(together.cells.flatMap(({ missing }) => missing)).toEqual([]);
    for (const cell of together.cells) {
      const alone = all[1]!.cells.find(({ setting, variant }) => setting === cell.setting && variant === cell.variant);
      expect(numbers({ ...together, cells: [cell] })).toBe(numbers({ ...together, cells: [alone!] }));
    }
  });

  test('a plan says how long it takes, in numbers too, or not at all', async () => {
    const args = [
      ...['--data-root', 'data', '--datasets', 'twitter2', '--model', 'model', '--out', 'timed', ...QUICK],
      '--json',
    ];
    const plan = await ptdpcJson<{ tasks: number; estimate: Record<string, number> }>([
      'experiment',
      'plan',
      'table1',
      ...args,
    ]);
    expect(plan).toMatchObject({ plan: 'timed', experiments: ['table1'], settings: ['twitter2'], tasks: 2 });
    const { images, encoding, training } = plan.estimate;
    expect(images).toBe(10);
    expect(encoding).toBeGreaterThan(0);
    expect(training).toBeGreaterThan(0);
    const without = await ptdpcJson<object>([
      'experiment',
      'plan',
      'table1',
      ...args,
      '--no-estimate',
      '--init-noise',
      '0',
    ]);
    expect(without).toEqual({ ...plan, estimate: null });
  });

  test('collect before the end lists what is missing', async () => {
    await mkdir(scratchPath('partly'));
    for (const name of ['plan.json', 'runs'])
      await cp(scratchPath(`shared/${name}`), scratchPath(`partly/${name}`), { recursive: true });
    await rm(scratchPath('partly/runs/fi8.cs.seed0'), { recursive: true });
    const { stderr } = await expectDone(['experiment', 'collect', '--out', 'partly']);
    expect(stderr).toMatch(/^table2: 1 task without a result$/m);
    expect((await names('partly/table2')).sort()).toEqual(['results.json', 'table2.md', 'table2.tex']);
    expect(await readFile(scratchPath('partly/table2/table2.md'), 'utf8')).toMatch(/Not finished/);
  });

  test('an array task takes its share from the environment', async () => {
    await mkdir(scratchPath('array'));
    await cp(scratchPath('partly/plan.json'), scratchPath('array/plan.json'));
    await cp(scratchPath('shared/runs'), scratchPath('array/runs'), { recursive: true });
    const args = ['experiment', 'run', '--out', 'array', '--device', 'cpu'];
    const slurm = {
      SLURM_ARRAY_TASK_ID: '5',
      SLURM_ARRAY_TASK_MIN: '4',
      SLURM_ARRAY_TASK_MAX: '6',
      SLURM_ARRAY_TASK_COUNT: '3',
    };
    expect((await ptdpc(args, slurm)).stderr).toMatch(/share 2 of 3: 3 tasks of 8, 3 done before/);
    const kubernetes = await ptdpc([...args, '--completions', '4'], { JOB_COMPLETION_INDEX: '3' });
    expect(kubernetes.stderr).toMatch(/share 4 of 4: 2 tasks of 8, 2 done before/);
    await expectRefused(args, /--completions/, { JOB_COMPLETION_INDEX: '3' });

    // The commands that plan, compute and collect do all of it, wherever they are started.
    const plan = ['--data-root', 'data', '--datasets', 'fi8,twitter2', '--model', 'model', '--out', 'array', ...QUICK];
    for (const environment of [slurm, { JOB_COMPLETION_INDEX: '3' }]) {
      const whole = await ptdpc(['experiment', 'table2', ...plan, '--device', 'cpu'], environment);
      expect(whole.stderr).toMatch(/^8 tasks of 8, 8 done before$/m);
      expect(whole.code).toBe(0);
    }
  });

  test('a plan of something else is refused, and one that is the same is joined', async () => {
    const refusal = async (...args: string[]) => {
      const { code, stdout, stderr } = await ptdpc(['experiment', 'plan', 'table1', ...args]);
      expect([code, stdout]).toEqual([2, '']);
      return stderr.trimEnd().split('\n').at(-1);
    };
    expect(await refusal(...planArgs('all', '--preset', 'official'))).toMatch(/^ptdpc: .*another preset/);
    expect(await refusal(...planArgs('data'))).toMatch(/^ptdpc: .*data: expected a plan or an empty folder/);
    await expectDone([
      'experiment',
      'plan',
      'table1',
      '--data-root',
      'data',
      '--model',
      'model',
      '--out',
      'partly',
      ...QUICK,
    ]);
    const plan = JSON.parse(await readFile(scratchPath('partly/plan.json'), 'utf8')) as { experiments: string[] };
    expect(plan.experiments).toEqual(['table1', 'table2', 'figure4']);
  });
});

test('images that cannot be read are said wherever results are, and listed; --strict refuses them', async () => {
  await cp(scratchPath('data/twitter_2'), scratchPath('broken'), { recursive: true });
  for (const file of ['train/negative/negative_0.jpg', 'test/positive/positive_1.jpg']) {
    await writeFile(scratchPath(`broken/${file}`), 'no image');
  }
  const args = [
    ...['experiment', 'table1', '--data-root', 'data', '--datasets', 'twitter2=broken', '--model', 'model'],
    ...['--epochs', '1', '--lr', '0.1', '--seeds', '1', '--device', 'cpu'],
  ];
  const { stdout, stderr } = await expectDone([...args, '--out', 'skipping']);
  const words = 'Twitter II 1 of 6 training images and 1 of 4 test images';
  expect(stderr).toMatch(
    /^twitter2\.both\.seed0: accuracy .* of 3 images, without 1 train and 1 test images that could not be read/m,
  );
  expect(stderr).toContain(`table1: Images left out because they could not be read: ${words}.`);
  expect(stdout).toContain(words);
  for (const file of ['table1.md', 'table1.tex', 'report.html']) {
    expect(await readFile(scratchPath(`skipping/table1/${file}`), 'utf8'), file).toContain(words);
  }
  const results = await readResults('skipping', 'table1');
  expect(results.settings[0]?.skipped).toEqual([
    { path: 'test/positive/positive_1.jpg', reason: expect.stringMatching(/^expected/) as string },
    { path: 'train/negative/negative_0.jpg', reason: expect.stringMatching(/^expected/) as string },
  ]);
  const images = results.cells.map(({ variant, seeds }) => [variant, seeds[0]?.count, seeds[0]?.images]);
  const [origin, none] = [{ kind: 'given' }, { train: 0, val: 0, test: 0 }];
  expect(images).toEqual([
    [
      'zero-shot',
      3,
      { origin, seen: 0, train: null, val: null, skipped: { train: 0, val: 0, test: 1 }, truncated: none },
    ],
    ['both', 3, { origin, seen: 0, train: 5, val: null, skipped: { train: 1, val: 0, test: 1 }, truncated: none }],
  ]);
  const strict = await ptdpc([...args, '--out', 'strict', '--strict']);
  expect(strict.code).toBe(2);
  expect(strict.stderr.trimEnd().split('\n').at(-1)).toMatch(
    /^ptdpc: .*broken\/test\/positive\/positive_1\.jpg: expected/,
  );
});

describe('what is refused', () => {
  const plan = (...args: string[]) => ['experiment', 'plan', 'table2', '--out', 'refused', ...args];

  test('neither data nor a demonstration, no model, settings that are not there', async () => {
    await expectRefused(plan('--model', 'model'), /--data-root <dir> with data sets, or --demo/);
    await expectRefused(plan('--data-root', 'data'), /--model/);
    const found = ['--data-root', 'data', '--model', 'model'];
    await expectRefused(
      plan('--demo', '--datasets', 'fi8'),
      /--datasets: expected some of scenes8, scenes2, found fi8/,
    );
    await expectRefused(plan(...found, '--datasets', 'fi9'), /--datasets: expected some of fi8, .*found fi9/);
    await expectRefused(plan(...found, '--datasets', 'emoset8'), /--datasets emoset8: no folder emoset/);
    await expectRefused(
      plan('--data-root', 'model', '--model', 'model'),
      /expected folders named fi, emotionroi, twitter1, twitter2, found none of them$/,
    );
    await expectRefused(plan('--data-root', 'nowhere', '--model', 'model'), /--data-root nowhere: cannot be listed/);
    await expectRefused(
      plan(...found, '--encoders', 'model'),
      /--encoders model: expected another encoder than a CLIP/,
    );
    expect(await names('.')).not.toContain('refused');
  });

  test('options under their old names work, and say the new ones', async () => {
    const { code, stderr } = await ptdpc(['experiment', 'collect', '--plan', 'nowhere', '--out', 'tables']);
    expect(code).toBe(2);
    expect(stderr.split('\n').slice(0, 2)).toEqual(['--out is now called --tables', '--plan is now called --out']);
    expect(stderr).toMatch(/nowhere\/plan\.json: not found/);
    const plan = await ptdpc(['experiment', 'plan', 'table1', '--settings=fi9', '--data-root', 'data', '--out', 'old']);
    const deit = await ptdpc(['experiment', 'plan', 'table1', '--deit', 'x', '--data-root', 'data', '--out', 'old']);
    expect(deit.stderr).toMatch(/^--deit is now called --encoders\nptdpc/);
    expect(plan.stderr).toMatch(
      /^--settings is now called --datasets\nptdpc: --model <dir> or --demo: missing; npx ptdpc experiment \w+ --help has the options$/m,
    );
  });

  test('shares, experiments and plans that are none', async () => {
    await expectRefused(['experiment', 'run', '--out', 'nowhere'], /nowhere\/plan.json: not found/);
    await expectRefused(['experiment', 'collect', '--out', 'model'], /model\/plan.json: not found/);
    await expectRefused(['experiment', 'plan', 'table9', '--demo', '--out', 'refused'], /Expected table1, /);
    await expectRefused(['experiment', 'table2', '--demo', '--out', 'refused', '--lr', '0.1,x'], /above 0/);
  });
});

/** The result of a task: the file in the one run that has it. */
async function taskFile(plan: string, task: string, kind: 'json' | 'csv'): Promise<string> {
  const [path] = await resultsOf(plan, task, kind);
  if (path === undefined) throw new Error(`${plan}: ${task} has no result`);
  return path;
}

async function resultsOf(plan: string, task: string, kind: 'json' | 'csv'): Promise<string[]> {
  const found: string[] = [];
  for (const run of await names(`${plan}/runs/${task}`))
    for (const name of await names(`${plan}/runs/${task}/${run}/results`))
      if (name.endsWith(`-test.${kind}`)) found.push(scratchPath(`${plan}/runs/${task}/${run}/results/${name}`));
  return found;
}

async function predictions(plan: string, task: string): Promise<string> {
  return readFile(await taskFile(plan, task, 'csv'), 'utf8');
}

/** The tasks with a result. */
async function doneTasks(plan: string): Promise<string[]> {
  const done: string[] = [];
  for (const task of await names(`${plan}/runs`)) if ((await resultsOf(plan, task, 'json')).length > 0) done.push(task);
  return done;
}

async function names(folder: string): Promise<string[]> {
  return readdir(scratchPath(folder)).catch(() => []);
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
