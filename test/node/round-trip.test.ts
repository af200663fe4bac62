/** What is written is read back as it was, and what was cut is refused: lists of images, runs, caches, results, plans. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { bytesSource } from '../../src/clip/checkpoint/byte-source.js';
import { InputError } from '../../src/errors.js';
import type { AdapterSummary } from '../../src/kernels/index.js';
import { readCsv } from '../../src/node/csv-file.js';
import { openDataset } from '../../src/node/datasets.js';
import { diskFolder } from '../../src/node/disk-folder.js';
import { readSegmentFeatures, readSegmentImages, sha256, writeSegment } from '../../src/node/feature-segment.js';
import { readPredictions } from '../../src/node/read-predictions.js';
import { parseMetrics } from '../../src/node/run-directory.js';
import { readRunRecord } from '../../src/node/run-record.js';
import { readTuning, writeTuning } from '../../src/node/tuning-file.js';
import { pathInside } from '../../src/ptdpc/datasets/listed-images.js';
import { parseClassList, readClassesJson } from '../../src/ptdpc/datasets/open-dataset.js';
import { parsePlan } from '../../src/ptdpc/experiment/index.js';
import {
  decodePrompts,
  decodeTrainingState,
  encodePrompts,
  encodeTrainingState,
  predictionsCsv,
  SPLITS,
  tuningOptions,
} from '../../src/ptdpc/index.js';
import { somePlan } from '../ptdpc/experiment/support.js';
import { FULL_TUNING } from '../support/devices.js';
import { anyFloat, anyText, expectWholeOnly, RUNS, someCuts } from '../support/properties.js';
import { runRecord } from '../support/run-record.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
beforeAll(async () => {
  for (const folder of ['run', 'data/a', 'classes']) await mkdir(scratch(folder), { recursive: true });
  for (const name of ['1.jpg', '2.jpg', '3.jpg']) await writeFile(scratch(`data/a/${name}`), '');
});

const floats = (length: number) => fc.float32Array({ minLength: length, maxLength: length, noNaN: true });
const anyClasses = fc.array(fc.record({ folder: anyText, word: anyText }), { minLength: 1, maxLength: 4 });

test('no path of a list leads out of its folder, whatever it is made of', () => {
  const pieces = fc.constantFrom('..', '.', '', '/', '\\', 'a', 'C:', 'c:/', '~', ' ', '\0', 'x.jpg', '...');
  return fc.assert(
    fc.property(fc.array(pieces, { maxLength: 8 }), fc.constantFrom('', '/', '\\'), (parts, separator) => {
      let path: string;
      try {
        path = pathInside(parts.join(separator), 'list: line 1');
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        expect((error as InputError).message).toMatch(/^list: line 1: expected a path below the folder/);
        return;
      }
      expect(`${resolve('/data', path)}/`.startsWith('/data/')).toBe(true);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('classes: as an option and as classes.json', () => {
  const word = fc.stringMatching(/^[a-z]{1,5}( [a-z]{1,5})?$/);
  const anyNamed = fc.uniqueArray(fc.record({ folder: word, word }), {
    minLength: 1,
    selector: ({ folder }) => folder,
  });
  return fc.assert(
    fc.asyncProperty(anyNamed, async (classes) => {
      expect(parseClassList(classes.map(({ folder, word }) => `${folder}=${word}`).join(','))).toEqual(classes);
      const json = JSON.stringify(Object.fromEntries(classes.map(({ folder, word }) => [folder, word])));
      await expectWholeOnly(new TextEncoder().encode(json), 'classes.json', [0.5], async (bytes) => {
        await writeFile(scratch('classes/classes.json'), bytes);
        expect(await readClassesJson(diskFolder(scratch('classes')))).toEqual(classes);
      });
    }),
    { seed: 1, numRuns: 20 },
  );
});

test('a manifest says the same as CSV and as JSON', () => {
  const anyEntries = fc.tuple(
    ...[1, 2, 3].map((n) =>
      fc.record({
        path: fc.constant(`a/${n}.jpg`),
        label: fc.constantFrom('joy', 'fear, or "awe"'),
        split: fc.constantFrom('train', 'val', 'test'),
      }),
    ),
  );
  return fc.assert(
    fc.asyncProperty(anyEntries, async (entries) => {
      const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
      const csv = ['path,label,split', ...entries.map((entry) => Object.values(entry).map(cell).join())].join('\n');
      await writeFile(scratch('data/list.csv'), csv);
      await writeFile(scratch('data/list.json'), JSON.stringify(entries));
      const [table, json] = [await openDataset(scratch('data/list.csv')), await openDataset(scratch('data/list.json'))];
      expect({ ...table, root: '' }).toEqual({ ...json, root: '' });
      const found = Object.entries(table.splits).flatMap(([split, images]) =>
        images.map(({ path }) => `${split} ${path}`),
      );
      // Classes are those of the first split that there is.
      const first = SPLITS.find((split) => entries.some((entry) => entry.split === split));
      const trained = entries.filter(({ split }) => split === first);
      for (const { path, split } of trained) expect(found).toContain(`${split} ${join(scratch('data'), path)}`);
    }),
    { seed: 1, numRuns: 20 },
  );
});

test('prompts and training states, to the last bit', () =>
  fc.assert(
    fc.asyncProperty(
      floats(24),
      anyClasses,
      anyText,
      fc.integer({ min: 1, max: 99 }),
      someCuts,
      async (prompts, classes, modelHash, epochs, cuts) => {
        const options = tuningOptions('paper', { mode: 'is' });
        const file = { options, classes, modelHash, epochs, shape: [1, 6, 4], prompts: new Float32Array(prompts) };
        const bytes = await encodePrompts(file);
        const decode = (cut: Uint8Array<ArrayBuffer>) => decodePrompts(bytesSource('prompts.safetensors', cut));
        expect(await decode(new Uint8Array(bytes))).toEqual(file);
        await expectWholeOnly(bytes, 'prompts.safetensors', cuts, decode);

        const tensors = [file.prompts.map((x) => -x), file.prompts.map((x) => x / 2)];
        const state = { epochs, prompts: file.prompts, optimizer: { steps: 7 * epochs, tensors } };
        const written = await encodeTrainingState(state, 1234);
        const decodeState = (cut: Uint8Array<ArrayBuffer>) =>
          decodeTrainingState(bytesSource('state.safetensors', cut), 24, 'adamw');
        expect(await decodeState(new Uint8Array(written))).toEqual({ state, metricsBytes: 1234 });
        await expectWholeOnly(written, 'state.safetensors', cuts, decodeState);
      },
    ),
    RUNS,
  ));

test('run.json and lines of metrics', () =>
  fc.assert(
    fc.asyncProperty(
      anyClasses,
      anyText,
      fc.nat(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      someCuts,
      async (classes, data, train, share, cuts) => {
        const record = runRecord({
          classes,
          data,
          images: { train, val: train, trainSha256: data, valSha256: null },
          dataset: { setting: 'fi8', origin: { kind: 'seeded', seed: train } },
        });
        await expectWholeOnly(new TextEncoder().encode(JSON.stringify(record)), 'run.json', cuts, async (bytes) => {
          await writeFile(scratch('run/run.json'), bytes);
          expect(await readRunRecord(scratch('run'))).toEqual(record);
        });
        const step = { type: 'step', epoch: 1, step: train, loss: share, lr: share + 1e-9 };
        const epoch = {
          type: 'epoch',
          epoch: 1,
          trainLoss: share,
          trainAccuracy: share,
          valLoss: null,
          valAccuracy: share,
        };
        for (const line of [step, epoch]) {
          const json = new TextEncoder().encode(JSON.stringify(line));
          await expectWholeOnly(json, 'metrics', cuts, (bytes) =>
            expect(parseMetrics(new TextDecoder().decode(bytes), 'metrics')).toEqual(line),
          );
        }
      },
    ),
    { seed: 1, numRuns: 20 },
  ));

test('segments of the feature cache', () =>
  fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(anyText, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 6 }),
      anyFloat,
      someCuts,
      async (names, width, value, cuts) => {
        const images = names.map(sha256);
        const features = Float32Array.from({ length: images.length * width }, (_, i) => (i % 2 === 0 ? value : i));
        const path = scratch('segment.safetensors');
        await writeSegment(path, images, features);
        const read = async () => [
          await readSegmentImages(path, width),
          (await readSegmentFeatures(path, width)).features,
        ];
        expect(await read()).toEqual([images, features]);
        await expectWholeOnly(await readFile(path), 'segment.safetensors', cuts, async (bytes) => {
          await writeFile(path, bytes);
          return read();
        });
      },
    ),
    { seed: 1, numRuns: 20 },
  ));

test('predictions.csv: no cell is a formula to a spreadsheet, and names come back as they were', async () => {
  const names = [
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r',
    "'=1",
    "''",
    "'quoted'",
    '＝1',
    '=HYPERLINK("x","y")',
    'plain',
  ];
  const labels = Int32Array.from(names.keys());
  const probabilities = new Float32Array(names.length ** 2).fill(1e-7);
  const csv = predictionsCsv(names, { paths: names, labels }, { predicted: labels, probabilities });
  const path = scratch('predictions.csv');
  await writeFile(path, csv);
  const cells = await readCsv(path);
  expect(cells.flat().filter((cell) => /^[=+\-@\t\r＝＋－＠]/.test(cell))).toEqual([]);
  expect(cells[1]?.slice(0, 3)).toEqual(["'=1+1", "'=1+1", "'=1+1"]);
  const read = await readPredictions(path);
  expect([read.words, read.paths]).toEqual([names, names]);
  expect([read.labels, read.predicted]).toEqual([labels, labels]);
});

test('predictions.csv: any words and paths, probabilities to the last bit', () => {
  const anyWords = fc.uniqueArray(anyText, { minLength: 1, maxLength: 3 });
  const anyImage = fc.record({
    path: anyText,
    label: fc.nat(99),
    guess: fc.nat(99),
    probability: fc.float({ min: 0, max: 1, noNaN: true }),
  });
  return fc.assert(
    fc.asyncProperty(
      anyWords,
      fc.array(anyImage, { minLength: 1, maxLength: 4 }),
      someCuts,
      async (words, images, cuts) => {
        const paths = images.map(({ path }) => path);
        const labels = Int32Array.from(images, ({ label }) => label % words.length);
        const predicted = Int32Array.from(images, ({ guess }) => guess % words.length);
        const probabilities = Float32Array.from(
          images.flatMap(({ probability }) => words.map((_, c) => probability / (c + 1))),
        );
        const csv = predictionsCsv(words, { paths, labels }, { predicted, probabilities });
        const path = scratch('predictions.csv');
        await writeFile(path, csv);
        const of = (classes: Int32Array) => Float32Array.from(classes, (c, i) => probabilities[i * words.length + c]!);
        expect(await readPredictions(path)).toEqual({
          ...{ words, paths, labels, predicted },
          ...{ probabilities: of(predicted), ownProbabilities: of(labels) },
        });
        // Cut within its last line: behind that, what is missing shows only beside the counts of confusion.json.
        const bytes = new TextEncoder().encode(csv);
        const tail = 2 + Math.floor(cuts[0]! * (String(probabilities.at(-1)).length - 1));
        await writeFile(path, bytes.subarray(0, -tail));
        await expect(readPredictions(path)).rejects.toThrow(InputError);
      },
    ),
    { seed: 1, numRuns: 30 },
  );
});

test('tunings, for any adapter', () => {
  const before = process.env.PTDPC_CACHE;
  process.env.PTDPC_CACHE = scratch('cache');
  const anyAdapter: fc.Arbitrary<AdapterSummary> = fc.record({
    ...{
      description: anyText,
      vendor: anyText,
      architecture: anyText,
      subgroupSize: fc.nat(128),
      software: fc.boolean(),
    },
    ...{ features: fc.constant([]), limits: fc.constant({}) },
  });
  const property = fc.asyncProperty(anyAdapter, anyText, async (adapter, measured) => {
    const record = { adapter: adapter.description, measured, tuning: FULL_TUNING, timings: [] };
    await writeTuning(adapter, record);
    const warnings: string[] = [];
    expect(await readTuning(adapter, (warning) => warnings.push(warning))).toEqual(record);
    expect(warnings).toEqual([]);
  });
  return fc.assert(property, { seed: 1, numRuns: 20 }).finally(() => {
    if (before === undefined) delete process.env.PTDPC_CACHE;
    else process.env.PTDPC_CACHE = before;
  });
});

test('plans', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,9}$/);
  const folds = fc.option(fc.integer({ min: 1, max: 10 }));
  const anySettings = fc.uniqueArray(fc.record({ name, label: anyText, dataset: anyText, root: anyText, folds }), {
    maxLength: 4,
    selector: (setting) => setting.name,
  });
  return fc.assert(
    fc.asyncProperty(anySettings, fc.integer({ min: 1, max: 1000 }), someCuts, async (settings, seeds, cuts) => {
      const plan = somePlan({ settings, seeds });
      await expectWholeOnly(new TextEncoder().encode(JSON.stringify(plan)), 'plan.json', cuts, (bytes) =>
        expect(parsePlan(new TextDecoder().decode(bytes), 'plan.json')).toEqual(plan),
      );
    }),
    RUNS,
  );
});
