import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { decodeImage, encodeJpeg } from '../../../src/clip/image/index.js';
import { InputError } from '../../../src/errors.js';
import { loadImageCodecs } from '../../../src/node/image-codecs.js';
import { rememberFolder } from '../../../src/node/known-folders.js';
import { writeRunReport } from '../../../src/node/report/index.js';
import { readRunReport, thumbnail } from '../../../src/node/report/read-run.js';
import {
  type EvaluatedSplit,
  listResults,
  type ResultFile,
  readResult,
  writeResult,
} from '../../../src/node/results.js';
import { evaluate } from '../../../src/ptdpc/index.js';
import { expectInputError } from '../../clip/checkpoint/support.js';
import { epochOf, runRecord } from '../../support/run-record.js';
import { scratchFolder } from '../scratch.js';

const scratch = scratchFolder();

beforeAll(async () => {
  process.env.PTDPC_CACHE = scratch('cache');
  await rememberFolder(scratch(''));
});

const HEAD = 'path,actual,predicted,"p(calm, ""deep"")",p(fear)\n';

describe('the report of a run', () => {
  it('has the metrics of the results, and the images of their predictions', async () => {
    const run = await makeRun('whole');
    const { learning, evaluations, classes } = await readRunReport(run);
    const [evaluation] = evaluations;
    expect(evaluations).toHaveLength(1);
    expect(classes).toEqual(['calm, "deep"', 'fear']);
    expect(learning?.epochs).toHaveLength(1);
    expect(learning?.steps).toHaveLength(2);
    expect(evaluation).toMatchObject({
      split: 'test',
      count: 4,
      accuracy: 0.5,
      confusionPairs: {
        classes: 2,
        pairs: [
          [0, 0, 1],
          [0, 1, 1],
          [1, 0, 1],
          [1, 1, 1],
        ],
      },
      macroF1: 0.5,
      distribution: null,
      meanShares: null,
    });
    // |0.5 - 0.9| and |0.5 - 0.8|, two images each.
    expect(evaluation?.calibrationError).toBeCloseTo(0.35, 6);
    expect(evaluation?.wrong.map(({ actual, probability }) => [actual, probability.toFixed(2)])).toEqual([
      ['calm, "deep"', '0.90'],
      ['fear', '0.80'],
    ]);
    expect(evaluation?.right[0]?.url).toMatch(/^data:image\/jpeg;base64,/);
    expect(evaluation?.right[1]?.url).toBeNull();
    expect(await writeRunReport(run)).toBe(join(run, 'report.html'));
    expect(await readFile(join(run, 'report.html'), 'utf8')).toContain('calm, &quot;deep&quot;');
  });

  it('has CLIP without training on the same images beside the results, and no other images', async () => {
    const run = await makeRun('compared');
    expect((await readRunReport(run)).evaluations[0]!.zeroShot).toBeNull();
    const write = async (logits: readonly number[], hashes: readonly string[]) =>
      await writeResult(join(run, 'zero-shot'), {
        ...evaluatedOf(run, Float32Array.from(logits)),
        epochs: 0,
        images: { ...evaluatedOf(run, Float32Array.from(logits)).images, hashes },
      });
    await mkdir(join(run, 'zero-shot'));
    const record = { ...runRecord(), classes: CLASSES, learner: 'zero-shot', templates: ['a photo of'] };
    await writeFile(join(run, 'zero-shot/run.json'), JSON.stringify(record));
    // One more image is classified correctly than by the run; at first, they are other images.
    const logits = [3, 0, 0, 3, 0, 3, 0, 3];
    await write(logits, HASHES.toReversed());
    expect((await readRunReport(run)).evaluations[0]!.zeroShot).toBeNull();
    const { path } = await write(logits, HASHES);
    const [{ zeroShot, correct } = {}] = (await readRunReport(run)).evaluations;
    expect(zeroShot).toMatchObject({ templates: ['a photo of'], accuracy: 0.75 });
    expect([[...correct!], [...zeroShot!.correct]]).toEqual([
      [1, 0, 1, 0],
      [1, 0, 1, 1],
    ]);
    const page = await readFile(await writeRunReport(run, { command: 'npx ptdpc report --run compared' }), 'utf8');
    expect(page).toContain('<code>npx ptdpc report --run compared</code>');
    expect(page).toContain('Was it worth it?');
    // The same counts in another order are not the predictions of these images.
    const csv = path.replace('.json', '.csv');
    const [head, ...rows] = (await readFile(csv, 'utf8')).trimEnd().split('\n');
    await writeFile(csv, `${[head, ...rows.reverse()].join('\n')}\n`);
    await expectInputError(readRunReport(run), /its images are not those of the run; evaluate it again/);
    await writeFile(join(run, 'zero-shot/run.json'), JSON.stringify(runRecord()));
    await expectInputError(readRunReport(run), /zero-shot: a run of learner prompts; expected CLIP without training/);
  });

  it('shows pictures of folders that the reader named, and no others', async () => {
    const run = await makeRun('received');
    const [{ data }] = (await Promise.all((await listResults(run)).map(readResult))) as [ResultFile];
    vi.stubEnv('PTDPC_CACHE', scratch('other-cache'));
    const said: string[] = [];
    const shown = async (options = {}) =>
      (await readRunReport(run, { say: (line) => said.push(line), ...options })).evaluations[0]!.right[0]!.url !== null;
    expect(await shown()).toBe(false);
    expect(said).toEqual([`pictures are left out: no command of yours has read ${data}; --data ${data} includes them`]);
    expect(await shown({ data })).toBe(true);
    // A folder beside it whose name begins alike is another one.
    await mkdir(`${data}-other`);
    await rememberFolder(`${data}-other`);
    expect(await shown()).toBe(false);
    await rememberFolder(data);
    expect(await shown()).toBe(true);
    // A link among the images leads out of their folder.
    const path = (await readRunReport(run)).evaluations[0]!.right[0]!.path!;
    await rename(path, scratch('private.png'));
    await symlink(scratch('private.png'), path);
    expect(await shown()).toBe(false);
    vi.unstubAllEnvs();
  });

  it('reads the metrics of a long run, in a file of more than 16 MiB', async () => {
    const run = await makeRun('long');
    const steps = 250_000;
    const lines = Array.from({ length: steps }, (_, step) => ({ type: 'step', epoch: 0, step, loss: 1.25, lr: 0.1 }));
    await writeFile(
      join(run, 'metrics.jsonl'),
      [...lines, epochOf(0)].map((line) => `${JSON.stringify(line)}\n`).join(''),
    );
    const { learning } = await readRunReport(run);
    expect([learning?.steps.length, learning?.epochs.length]).toEqual([steps, 1]);
    await writeFile(join(run, 'metrics.jsonl'), 'x'.repeat(17 * 2 ** 20));
    await expectInputError(readRunReport(run), /metrics\.jsonl: line 1: expected at most 16777216 bytes, found more/);
  });

  it('refuses an evaluation of an earlier version', async () => {
    const run = await makeRun('earlier');
    await rm(join(run, 'results'), { recursive: true });
    await writeFile(join(run, 'confusion.json'), '{}');
    await expectInputError(readRunReport(run), /earlier: evaluated by an earlier version, .*; evaluate it again/);
  });

  it.each([
    ['results/data-test.csv', 'path,actual\n', /data-test\.csv: expected the columns/],
    [
      'results/data-test.csv',
      'path,actual,predicted,p(x)\n"a,x,x,1\n',
      /data-test\.csv: expected comma-separated values/,
    ],
    ['results/data-test.csv', 'path,actual,predicted,p(x)\na,x,x,2\n', /image 1: expected probabilities, found "2"/],
    [
      'results/data-test.csv',
      'path,actual,predicted,p(x)\na,x,y,1\n',
      /image 1 has the class "y", which has no column/,
    ],
    ['results/data-test.csv', 'path,actual,predicted,p(x)\na,x,x,1\n', /its classes are not those of/],
    ['results/data-test.csv', `${HEAD}x,fear,fear,0.2,0.8\n`, /its predictions are not those of data-test\.json/],
    ['results/data-test.csv', HEAD, /its predictions are not those of data-test\.json/],
    ['results/data-test.json', '[]', /data-test\.json: expected the result of an evaluation/],
    [
      'results/data-test.json',
      `{"confusion":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      /data-test\.json: expected the result of an evaluation/,
    ],
    ['metrics.jsonl', `${JSON.stringify(epochOf(1))}\n`, /metrics\.jsonl: line 1: expected epoch 0, found epoch 1/],
    ['metrics.jsonl', `${JSON.stringify({ ...epochOf(0), valLoss: 'low' })}\n`, /line 1: expected the metrics/],
    ['results/data-test.csv', 'path,actual,predicted,p(x)\na,x,x,1', /data-test\.csv: cut short: expected a line end/],
    ['metrics.jsonl', '{"type":"step"}\n', /metrics\.jsonl: line 1: expected the metrics/],
  ])('refuses a damaged %s: %s', async (name, text, message) => {
    const run = await makeRun(`damaged-${name.replace('/', '-')}-${text.length}`);
    await writeFile(join(run, name), text);
    const error: unknown = await readRunReport(run).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
  });
});

describe('thumbnail', () => {
  it('passes on pixels only, in a square of at most 176', async () => {
    loadImageCodecs();
    const jpeg = await encodeJpeg(new Uint8Array(400 * 300 * 3).fill(90), 400, 300, 90);
    const secret = 'GPS 52.5200 N 13.4050 E';
    const exif = Buffer.concat([Buffer.from([0xff, 0xe1, 0, secret.length + 8]), Buffer.from(`Exif\0\0${secret}`)]);
    const path = scratch('place.jpg');
    await writeFile(path, Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]));
    const url = await thumbnail(path);
    const bytes = Buffer.from(url!.slice(url!.indexOf(',') + 1), 'base64');
    expect(bytes.includes('Exif')).toBe(false);
    expect(bytes.includes('GPS')).toBe(false);
    const { width, height } = await decodeImage(bytes, 'thumbnail');
    expect([width, height]).toEqual([176, 176]);
  });

  it('is null for what is no image', async () => {
    const path = scratch('none.png');
    await writeFile(path, 'no image');
    expect(await thumbnail(path)).toBeNull();
    expect(await thumbnail(scratch('absent.png'))).toBeNull();
  });
});

async function makeRun(name: string): Promise<string> {
  const run = scratch(name);
  const data = join(run, 'data');
  await mkdir(join(data, 'test', 'calm'), { recursive: true });
  loadImageCodecs();
  await writeFile(join(data, 'test', 'calm', 'a.jpg'), await encodeJpeg(new Uint8Array(16 * 16 * 3), 16, 16, 90));
  // As earlier versions wrote it, without the data set and the images' hashes.
  const { dataset: _, ...record } = runRecord({ classes: CLASSES, data });
  await writeFile(join(run, 'run.json'), JSON.stringify({ ...record, images: { train: 2, val: null } }));
  const step = (epoch: number, step: number) => JSON.stringify({ type: 'step', epoch, step, loss: 1, lr: 0.1 });
  const epoch = { type: 'epoch', epoch: 0, trainLoss: 1, trainAccuracy: 0.5, valLoss: null, valAccuracy: null };
  // The second epoch was not written to its end.
  await writeFile(
    join(run, 'metrics.jsonl'),
    [step(0, 0), step(0, 1), JSON.stringify(epoch), step(1, 2), '{"type":"st'].join('\n'),
  );
  await writeResult(run, evaluatedOf(run, Float32Array.of(0.9, 0.1, 0.1, 0.9, 0.2, 0.8, 0.8, 0.2).map(Math.log)));
  return run;
}

const CLASSES = [
  { folder: 'calm', word: 'calm, "deep"' },
  { folder: 'fear', word: 'fear' },
];
const HASHES = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(64));

/** Two test images of each class, from their logits. */
function evaluatedOf(run: string, logits: Float32Array): EvaluatedSplit {
  const root = join(run, 'data');
  const labels = Int32Array.of(0, 0, 1, 1);
  return {
    dataset: { root, setting: 'folders', origin: { kind: 'given' } },
    ...{ split: 'test', classes: CLASSES, epochs: 1, device: 'CPU' },
    evaluation: evaluate(logits, labels, 2),
    images: {
      ...{ labels, hashes: HASHES, skipped: [], truncated: [] },
      paths: ['calm/a.jpg', 'calm/b.jpg', 'fear/c.jpg', 'fear/d.jpg'].map((path) => join(root, 'test', path)),
    },
  };
}
