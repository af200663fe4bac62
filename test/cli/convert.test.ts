/** `convert` and `tokenize` on the golden checkpoints in every format, and on files that are no CLIP. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { bytesSource, type Checkpoint, openCheckpoint, writeSafetensors } from '../../src/clip/checkpoint/index.js';
import { firstDifference, parseConfigJson } from '../../src/clip/config.js';
import { ClipTokenizer } from '../../src/clip/tokenizer/index.js';
import { expectRefused, fixture, ptdpc, ptdpcJson, scratchNames, scratchPath, setUpProgram } from './program.js';
import { tinyVocabulary } from './tiny-vocabulary.js';

setUpProgram();

const readModel = async (directory: string) => {
  const [bytes, config] = await Promise.all(
    ['model.safetensors', 'config.json'].map((name) => readFile(join(directory, name))),
  );
  return {
    checkpoint: await openCheckpoint(bytesSource('model.safetensors', bytes!)),
    config: parseConfigJson(new TextDecoder().decode(config), 'config.json'),
  };
};

/** A digest, since comparing arrays of a million numbers element by element is slow. */
async function digest(checkpoint: Checkpoint, name: string): Promise<string> {
  return createHash('sha256')
    .update(await checkpoint.read(name))
    .digest('hex');
}

async function expectSameWeights(directory: string, golden = fixture('clip-tiny')): Promise<void> {
  const [found, expected] = [await readModel(directory), await readModel(golden)];
  // Sizes and activation; epsilon and the rest follow.
  expect(firstDifference(found.config, expected.config)).toBeUndefined();
  const names = expected.checkpoint.names().filter((name) => !name.endsWith('position_ids'));
  expect([...found.checkpoint.names()].sort()).toEqual([...names].sort());
  for (const name of names) {
    expect(await digest(found.checkpoint, name), name).toEqual(await digest(expected.checkpoint, name));
  }
}

describe('every format of one model gives the same directory', () => {
  const vocabulary = () => scratchPath('vocabulary.txt');
  beforeEach(() => writeFile(vocabulary(), tinyVocabulary));
  const activation = ['--activation', 'quick_gelu'];
  const cases: [string, string[]][] = [
    ['', []],
    ['model.safetensors', []],
    ['pytorch_model.bin', []],
    ['open_clip_model.safetensors', []],
    ['openai_torchscript.pt', []],
    ['state_dict_f16.pt', activation],
  ];
  test.each(cases)('clip-tiny/%s', async (name, options) => {
    const out = scratchPath(`from-${name || 'folder'}`);
    const checkpoint = join(fixture('clip-tiny'), name);
    const args = ['convert', checkpoint, '--out', out, '--vocab', vocabulary(), ...options];
    const { code, stdout, stderr } = await ptdpc(args);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(/0\.6 M weights in f32, quick_gelu\n$/);
    await expectSameWeights(out);
    const ids = await ptdpc(['tokenize', '--model', out, 'a photo', 'amusement']);
    const tokenizer = ClipTokenizer.fromMerges(tinyVocabulary, 'vocabulary', { vocabularySize: 1000 });
    const expected = ['a photo', 'amusement'].map((text) => JSON.stringify(tokenizer.encodeText(text, 77)));
    expect(ids).toEqual({ code: 0, signal: null, stdout: `${expected.join('\n')}\n`, stderr: '' });
  });
});

test('shards behind an index', async () => {
  const { checkpoint } = await readModel(fixture('clip-tiny'));
  const folder = scratchPath('shards');
  await mkdir(folder);
  const names = checkpoint.names();
  const weightMap: Record<string, string> = {};
  for (const [i, part] of [names.slice(0, 30), names.slice(30)].entries()) {
    const file = `model-0000${i + 1}-of-00002.safetensors`;
    const chunks: Uint8Array[] = [];
    const entries = part.map((name) => ({
      name,
      dtype: checkpoint.dtype(name),
      shape: checkpoint.shape(name),
      read: async () => new Uint8Array((await checkpoint.read(name)).buffer),
    }));
    await writeSafetensors(entries, new Map(), (chunk) => void chunks.push(chunk));
    await writeFile(join(folder, file), Buffer.concat(chunks));
    for (const name of part) weightMap[name] = file;
  }
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
  await copyFile(fixture('clip-tiny/config.json'), join(folder, 'config.json'));
  const out = scratchPath('from-shards');
  expect((await ptdpc(['convert', folder, '--out', out])).stderr).toMatch(/no vocabulary was given/);
  await expectSameWeights(out);
});

test('half precision halves the file, and the configuration says so', async () => {
  const out = scratchPath('half');
  const report = await ptdpcJson<{ weights: number; config: object }>([
    'convert',
    fixture('clip-tiny-gelu'),
    '--out',
    out,
    '--dtype',
    'f16',
  ]);
  expect(report.config).toMatchObject({ activation: 'gelu', projectionDim: 64 });
  expect((await stat(join(out, 'model.safetensors'))).size).toBeLessThan(report.weights * 2 + 20_000);
  expect(JSON.parse(await readFile(join(out, 'config.json'), 'utf8'))).toMatchObject({ torch_dtype: 'float16' });
  // The golden weights fit half precision exactly.
  await expectSameWeights(out, fixture('clip-tiny-gelu'));
});

test('how pictures are prepared is kept, or taken from a file that is given', async () => {
  const folder = scratchPath('half-folder');
  await mkdir(folder);
  for (const name of ['config.json', 'model.safetensors']) {
    await copyFile(fixture(`clip-tiny/${name}`), join(folder, name));
  }
  const mean = [0.5, 0.5, 0.5];
  const beside = join(folder, 'preprocessor_config.json');
  await writeFile(beside, JSON.stringify({ image_mean: mean, image_std: mean, size: { height: 32, width: 32 } }));
  const out = scratchPath('half-out');
  const { stderr } = await ptdpc(['convert', folder, '--out', out]);
  expect(stderr).toMatch(
    /^image preprocessing: squashed to 32 x 32 \(bicubic\), mean 0\.5 0\.5 0\.5, std 0\.5 0\.5 0\.5$/m,
  );
  const written = JSON.parse(await readFile(join(out, 'preprocessor_config.json'), 'utf8'));
  expect(written).toMatchObject({ image_mean: mean, image_std: mean, size: { height: 32, width: 32 }, resample: 3 });

  const given = ['convert', fixture('clip-tiny/model.safetensors'), '--preprocessing', beside];
  const report = await ptdpcJson<{ preprocessing: object }>([...given, '--out', scratchPath('half-given')]);
  expect(report.preprocessing).toMatchObject({ mean, std: mean, shape: 'squash', size: 32 });
  await writeFile(beside, JSON.stringify({ resample: 0 }));
  const refused = ['convert', folder, '--out', scratchPath('half-refused')];
  await expectRefused(
    refused,
    /preprocessor_config\.json: resample should be 2 \(bilinear\) or 3 \(bicubic\), found 0/,
  );
});

test('tensors beside the model are left out and named; ones that would change it are refused', async () => {
  const { checkpoint } = await readModel(fixture('clip-tiny'));
  const withExtra = async (extra: string) => {
    const chunks: Uint8Array[] = [];
    const entries = [...checkpoint.names(), extra].map((name) => ({
      name: name === extra ? extra : `clip.${name}`,
      dtype: name === extra ? ('F32' as const) : checkpoint.dtype(name),
      shape: name === extra ? [1] : checkpoint.shape(name),
      read: async () =>
        name === extra ? new Uint8Array(4) : new Uint8Array((await checkpoint.read(name)).buffer as ArrayBuffer),
    }));
    await writeSafetensors(entries, new Map(), (chunk) => void chunks.push(chunk));
    const path = scratchPath(`extra-${extra}.safetensors`);
    await writeFile(path, Buffer.concat(chunks));
    return ['convert', path, '--activation', 'quick_gelu', '--out', scratchPath(`extra-${extra}`)];
  };
  expect((await ptdpc(await withExtra('head.weight'))).stderr).toMatch(/^left out, not part of a CLIP: head\.weight$/m);
  await expectSameWeights(scratchPath('extra-head.weight'));
  await expectRefused(await withExtra('text_projection.bias'), /"text_projection\.bias" is not part of a ViT CLIP/);
});

test('the option wins over the configuration, and that is said', async () => {
  const out = scratchPath('other-activation');
  const { stderr } = await ptdpc(['convert', fixture('clip-tiny'), '--out', out, '--activation', 'gelu']);
  expect(stderr).toMatch(/configuration says quick_gelu; written as gelu/);
  expect((await readModel(out)).config.activation).toBe('gelu');
});

test('bad checkpoints are refused in one line and leave nothing', async () => {
  const text = scratchPath('notes.txt');
  await writeFile(text, 'dear diary, today I trained a model and it went well');
  const cut = scratchPath('cut.safetensors');
  await copyFile(fixture('clip-tiny/model.safetensors'), cut);
  await truncate(cut, 1_000_000);
  const cutZip = scratchPath('cut.bin');
  await copyFile(fixture('clip-tiny/pytorch_model.bin'), cutZip);
  await truncate(cutZip, 1_000_000);
  const empty = scratchPath('empty');
  await mkdir(empty);
  const full = scratchPath('full');
  await mkdir(full);
  await writeFile(join(full, 'precious'), 'x');
  const before = await scratchNames();

  const out = ['--out', scratchPath('new/model')];
  const good = fixture('clip-tiny/model.safetensors');
  await expectRefused(
    ['convert', scratchPath('none.pt'), ...out],
    /none\.pt: cannot be opened \(no such file or folder\)/,
  );
  await expectRefused(['convert', text, ...out], /notes\.txt: not a checkpoint: expected safetensors/);
  await expectRefused(['convert', cut, ...out], /cut\.safetensors: .*(truncated|outside|beyond|bytes)/);
  await expectRefused(['convert', cutZip, ...out], /cut\.bin: /);
  await expectRefused(['convert', empty, ...out], /empty: no weights in this folder/);
  await expectRefused(['convert', fixture('checkpoint/views.pt'), ...out], /views\.pt: not a CLIP checkpoint/);
  await expectRefused(['convert', fixture('checkpoint/before_1_6.pt'), ...out], /before 1\.6/);
  await expectRefused(
    ['convert', fixture('clip-tiny/state_dict_f16.pt'), ...out],
    /activation is not recorded.*--activation/,
  );
  await expectRefused(['convert', good, ...out, '--vocab', text], /notes\.txt: line 1: expected two symbols/);
  await expectRefused(['convert', good, ...out, '--vocab', empty], /empty: expected a file/);
  await expectRefused(['convert', good, '--out', full], /full: the folder is not empty/);
  await expectRefused(['convert', good, '--out', text], /notes\.txt: expected a folder or nothing there yet/);
  await expectRefused(['convert', good, '--out', join(text, 'below')], /below: cannot be written/);

  expect(await scratchNames()).toEqual(before);
});

test('bad model directories are refused in one line', async () => {
  const tokenize = (model: string) => ['tokenize', '--model', model, 'a'];
  const embed = (model: string) => ['embed', '--model', model, fixture('preprocess/12_1x1_RGB.png'), '--out', 'x'];
  await expectRefused(tokenize(fixture('clip-tiny')), /merges\.txt: missing, so texts cannot be tokenized/);
  await expectRefused(tokenize(fixture('preprocess')), /preprocess: not a model directory, it has no config\.json/);
  await expectRefused(embed(fixture('preprocess')), /preprocess: not a model directory, it has no config\.json/);
  await expectRefused(
    embed(fixture('clip-tiny/config.json')),
    /config\.json: expected a model directory, found a file/,
  );
  await expectRefused(embed('nowhere'), /nowhere: cannot be opened \(no such file or folder\)/);

  const wrong = scratchPath('wrong');
  await mkdir(wrong);
  await copyFile(fixture('clip-tiny/config.json'), join(wrong, 'config.json'));
  await expectRefused(embed(wrong), /wrong: no weights in this folder/);
  const weights = join(wrong, 'model.safetensors');
  await copyFile(fixture('clip-tiny/model.safetensors'), weights);
  await truncate(weights, 2_000_000);
  await expectRefused(embed(wrong), /model\.safetensors: /);
  await copyFile(fixture('clip-tiny/expected.safetensors'), weights);
  await expectRefused(embed(wrong), /model\.safetensors: tensor "logit_scale" \[\] is missing/);
  await copyFile(fixture('clip-tiny/model.safetensors'), weights);
  const config = await readFile(join(wrong, 'config.json'), 'utf8');
  await writeFile(join(wrong, 'config.json'), config.replace('"hidden_size": 64', '"hidden_size": 32'));
  await expectRefused(embed(wrong), /config\.json: the text width 32 differs from the joint width 64/);
  await writeFile(join(wrong, 'config.json'), config.replace('"patch_size": 8', '"patch_size": 16'));
  await expectRefused(embed(wrong), /patch_embedding\.weight" should have shape \[128, 3, 16, 16\], found/);
});
