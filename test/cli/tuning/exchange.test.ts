/**
 * Prompts from other programs and for them: `import` of checkpoints as CoOp's code saves them (test/reference/coop_checkpoints.py, whose
 * logits a run of theirs must have), and `export` for NumPy.
 */
import { readFile } from 'node:fs/promises';
import { unzipSync } from 'fflate';
import { expect, test } from 'vitest';
import { openClassifier } from '../../../src/node/classifier.js';
import { openDevice } from '../../../src/node/device.js';
import { tensorsOf } from '../../support/tiny-clip.js';
import { expectRefused, fixture, ptdpcJson, scratchPath, setUpProgram } from '../program.js';
import { expectDone, readPrompts, readRunJson, setUpModelAndImages } from './support.js';

setUpProgram();
setUpModelAndImages();

const expected = await tensorsOf('learners/coop/expected.safetensors');
const checkpoint = (name: string) => fixture(`learners/coop/${name}.pth.tar-3`);
const importArgs = (name: string, ...options: string[]) => [
  ...['import', checkpoint(name), '--model', 'model', '--data', 'data', '--no-cache', ...options],
];

/** Logits of the fixtures' features by a run. */
async function logitsOf(run: string): Promise<Float32Array> {
  await using classifier = await openClassifier(scratchPath(run), { model: scratchPath('model') });
  using device = await openDevice('cpu');
  using scorer = await classifier.scorer(device, { memory: 2 ** 28, cacheDirectory: undefined });
  return await scorer.logits((await expected('features')).data as Float32Array);
}

test.each([
  ['coop', [], { learner: 'coop', context: 4, classPosition: 'end', classSpecific: false }],
  [
    'specific',
    ['--class-position', 'middle'],
    { learner: 'coop', context: 3, classPosition: 'middle', classSpecific: true },
  ],
  ['cocoop', [], { learner: 'cocoop', context: 4, reduction: 16 }],
])('import of %s has the logits of PyTorch', async (name, given, options) => {
  const { stderr } = await expectDone(importArgs(name, '--out', name, ...given));
  expect(stderr).not.toContain('note:');
  expect(await readRunJson(name)).toMatchObject({
    ...{ learner: 'prompts', options, images: { train: 0, val: null } },
    imported: { file: `${name}.pth.tar-3`, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  });
  expect((await readPrompts(name)).metadata.get('epochs')).toBe('3');
  const [found, logits] = [await logitsOf(name), (await expected(`${name}.logits`)).data];
  expect(found.length).toBe(logits.length);
  for (const [i, value] of found.entries()) expect(Math.abs(value - Number(logits[i]))).toBeLessThan(1e-4);
});

test('an imported run is evaluated, reported and repeated, but not resumed', async () => {
  const { accuracy, zeroShot } = await ptdpcJson<{ accuracy: number; zeroShot: object }>([
    'eval',
    '--run',
    'coop',
    '--device',
    'cpu',
  ]);
  expect(accuracy).toBeGreaterThanOrEqual(0);
  expect(zeroShot).not.toBeNull();
  await expectDone(['report', '--run', 'coop', '--device', 'cpu']);
  expect(await readFile(scratchPath('coop/report.html'), 'utf8')).toContain('from coop.pth.tar-3');
  const train = ['train', '--config', 'coop', '--device', 'cpu', '--epochs', '3'];
  await expectRefused([...train, '--out', 'coop'], /--out coop: it holds a run with/);
  await expectDone([...train, '--epochs', '1', '--out', 'coop-trained']);
});

test('import checks the model and the classes by the embeddings in the file', async () => {
  // Other classes, for tokens that all classes share.
  const others = await expectDone(importArgs('coop', '--classes', 'sadness=gloom,awe', '--out', 'others'));
  expect(others.stderr).toContain('note: learned with other classes (3 classes, where the data set has 2)');
  const { stderr } = await expectDone(importArgs('coop', '--classes', 'awe,great_joy=joy,sadness', '--out', 'joy'));
  expect(stderr).toContain('note: learned with other classes (class 2 has another word than "joy")');
  // For tokens of single classes.
  const refused = (name: string, message: RegExp, ...options: string[]) =>
    expectRefused(importArgs(name, '--out', 'refused', ...options), message);
  await refused(
    'specific',
    /specific\.pth\.tar-3: it has tokens for each of 3 classes, and the data set has 2/,
    '--classes',
    'awe,sadness',
  );
  await refused(
    'specific',
    /learned for other classes: class 1 has another word than "sadness"; give them, in order, with --classes/,
    ...['--classes', 'sadness,great_joy,awe'],
  );
  await refused('coop', /--learner cocoop: .* has no network; leave the option out/, '--learner', 'cocoop');
  await refused('cocoop', /--learner coop: .* has the network of CoCoOp/, '--learner', 'coop');
  await refused('cocoop', /shared by all classes and stand before their words/, '--class-position', 'front');
  await expectDone(importArgs('coop', '--learner', 'prograd', '--out', 'prograd'));
  expect(await readRunJson('prograd')).toMatchObject({ options: { learner: 'prograd', context: 4 } });

  await expectRefused(
    ['import', fixture('checkpoint/views.pt'), '--model', 'model', '--data', 'data', '--out', 'refused'],
    /views\.pt: expected the learned tokens "ctx" of CoOp's published code .*, found base, transposed/,
  );
  await expectRefused(importArgs('coop', '--out', 'coop'), /coop/);
});

test('export writes what PyTorch classifies with: tokens, and where in each text they stand', async () => {
  await expectDone(['export', '--run', 'specific', '--out', 'specific.npz']);
  const arrays = unzipSync(await readFile(scratchPath('specific.npz')));
  const whole = (name: string) => {
    const bytes = arrays[`${name}.npy`]!.slice(128);
    return Array.from(new Int32Array(bytes.buffer));
  };
  // The word stands after the first of three tokens; the full stop and EOT after all of them.
  expect(whole('token_ids')).toEqual(
    [
      [998, 0, 855, 0, 0, 269, 999, 0, 0, 0, 0],
      [998, 0, 70, 81, 68, 522, 596, 0, 0, 269, 999],
      [998, 0, 551, 937, 0, 0, 269, 999, 0, 0, 0],
    ].flat(),
  );
  expect(whole('learned')).toEqual(
    [
      [-1, 0, -1, 1, 2, -1, -1, -1, -1, -1, -1],
      [-1, 0, -1, -1, -1, -1, -1, 1, 2, -1, -1],
      [-1, 0, -1, -1, 1, 2, -1, -1, -1, -1, -1],
    ].flat(),
  );
  expect(whole('eot')).toEqual([6, 10, 7]);
  const prompts = arrays['prompts.npy']!;
  expect(Buffer.from(prompts.subarray(0, 128)).toString()).toContain("'shape': (3, 3, 64)");
  const own = await (await readPrompts('specific')).read('prompts');
  expect(new Float32Array(prompts.slice(128).buffer)).toEqual(own);
  expect(Object.keys(arrays)).toEqual(
    ['prompts', 'token_ids', 'learned', 'eot', 'logit_scale', 'classes', 'options', 'model_sha256'].map(
      (name) => `${name}.npy`,
    ),
  );
  const { arrays: shapes } = await ptdpcJson<{ arrays: Record<string, number[]> }>([
    'export',
    '--run',
    'cocoop',
    '--out',
    'c.npz',
  ]);
  expect(shapes).toMatchObject({ prompts: [1, 4, 64], 'meta_net.linear1.weight': [4, 64], logit_scale: [] });
  await expectRefused(
    ['export', '--run', 'coop', '--out', 'x.npy'],
    /--out x\.npy: expected a name that ends in \.npz/,
  );
});

test('export of learned start tokens', async () => {
  const train = [
    'train',
    '--model',
    'model',
    '--data',
    'data',
    '--preset',
    'official',
    '--template',
    'a photo',
    '--epochs',
    '1',
  ];
  await expectDone([...train, '--mode', 'none', '--out', 'sot', '--device', 'cpu']);
  await expectDone(['export', '--run', 'sot', '--out', 'sot.npz']);
  const learned = unzipSync(await readFile(scratchPath('sot.npz')))['learned.npy']!.slice(128);
  const [shape] = (await readPrompts('sot')).shape('prompts').slice(1);
  const first = Array.from(new Int32Array(learned.buffer)).slice(0, shape);
  expect(first).toEqual(Array.from({ length: shape! }, (_, i) => i));
});
