import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openModelDirectory } from '../../src/node/model-directory.js';
import { expectInputError, fixturePath } from '../clip/checkpoint/support.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

test('weights, their hash, and the tokenizer', async () => {
  await mkdir(scratch('model'));
  for (const name of ['config.json', 'model.safetensors']) {
    await copyFile(fixturePath(`clip-tiny/${name}`), scratch(`model/${name}`));
  }
  await using model = await openModelDirectory(scratch('model'));
  expect(model.config.text.vocabularySize).toBe(1000);
  expect(await model.clip.read('logit_scale')).toHaveLength(1);
  expect(await model.hash()).toBe(sha256(await readFile(scratch('model/model.safetensors'))));
  await expectInputError(model.tokenizer(), /merges\.txt: missing/);

  // A list without merges says that the model knows bytes only.
  await writeFile(scratch('model/merges.txt'), '#version: 0.2\n');
  await using bytes = await openModelDirectory(scratch('model'));
  const tokenizer = await bytes.tokenizer();
  expect(tokenizer.encodeText('ab', 77)).toEqual([998, 64, 256 + 65, 999]);
  expect(await bytes.tokenizer()).toBe(tokenizer);
});

test('pytorch_model.bin where there is no safetensors file', async () => {
  await mkdir(scratch('torch'));
  for (const name of ['config.json', 'pytorch_model.bin']) {
    await copyFile(fixturePath(`clip-tiny/${name}`), scratch(`torch/${name}`));
  }
  await using torch = await openModelDirectory(scratch('torch'));
  await using safetensors = await openModelDirectory(fixturePath('clip-tiny'));
  const name = 'visual_projection.weight';
  expect(await torch.clip.read(name)).toEqual(await safetensors.clip.read(name));
  expect(await torch.hash()).not.toBe(await safetensors.hash());
});

test('closed files are not read', async () => {
  const model = await openModelDirectory(fixturePath('clip-tiny'));
  await model.close();
  await model.close();
  await expectInputError(model.clip.read('logit_scale'), /cannot be read/);
});
