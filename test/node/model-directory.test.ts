import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ClipTokenizer } from '../../src/clip/tokenizer/index.js';
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

  // A list without merges says that the model knows bytes only; its table has rows beyond them.
  await writeFile(scratch('model/merges.txt'), '#version: 0.2\n');
  await using bytes = await openModelDirectory(scratch('model'));
  const tokenizer = await bytes.tokenizer();
  expect(tokenizer.encodeText('ab', 77)).toEqual([512, 64, 256 + 65, 513]);
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

test('start and end are those of vocab.json, tokenizer.json is read, and the configuration must agree', async () => {
  await cp(fixturePath('clip-tiny'), scratch('ids'), { recursive: true });
  const bytes = ClipTokenizer.bytesOnly();
  const vocab = { ...JSON.parse(bytes.vocabJson()), '<|startoftext|>': 998, '<|endoftext|>': 999 };
  const special = async (eosTokenId?: number) => {
    const config = JSON.parse(await readFile(fixturePath('clip-tiny/config.json'), 'utf8'));
    if (eosTokenId !== undefined) config.text_config.eos_token_id = eosTokenId;
    await writeFile(scratch('ids/config.json'), JSON.stringify(config));
    await using model = await openModelDirectory(scratch('ids'));
    const { sot, eot } = await model.tokenizer();
    return [sot, eot];
  };
  await writeFile(scratch('ids/merges.txt'), bytes.mergesText());
  expect(await special()).toEqual([512, 513]);
  await expectInputError(special(999), /merges\.txt: <\|endoftext\|> is 513, the model's configuration says 999/);
  await writeFile(scratch('ids/vocab.json'), JSON.stringify(vocab));
  expect(await special()).toEqual([998, 999]);
  expect(await special(999)).toEqual([998, 999]);
  await expectInputError(special(513), /vocab\.json: <\|endoftext\|> is 999, the model's configuration says 513/);
  await rm(scratch('ids/merges.txt'));
  const model = { type: 'BPE', end_of_word_suffix: '</w>', vocab, merges: [] };
  await writeFile(scratch('ids/tokenizer.json'), JSON.stringify({ model }));
  expect(await special(999)).toEqual([998, 999]);
});
