/** `prompts.safetensors` and `state.safetensors`: written, read back, and damaged in every way that can be told. */
import { expect, test } from 'vitest';
import { bytesSource } from '../../src/clip/checkpoint/index.js';
import { tuningOptions } from '../../src/ptdpc/options.js';
import { decodePrompts, encodePrompts, type PromptsFile, safetensorsBytes } from '../../src/ptdpc/prompts-file.js';
import { decodeTrainingState, encodeTrainingState } from '../../src/ptdpc/training-state-file.js';
import { expectInputError } from '../clip/checkpoint/support.js';
import { randomReals } from '../support/random.js';

const random = randomReals(4);

const file: PromptsFile = {
  options: tuningOptions('official', { logitScale: 10, epochs: 3 }),
  classes: [
    { folder: 'awe', word: 'awe' },
    { folder: 'freude', word: 'Freude, schöner "Götterfunken"' },
  ],
  modelHash: 'f'.repeat(64),
  epochs: 3,
  shape: [2, 3, 4],
  prompts: random(24),
};

const METADATA = {
  format: 'ptdpc-prompts',
  version: '1',
  options: JSON.stringify(file.options),
  classes: JSON.stringify(file.classes),
  model_sha256: file.modelHash,
  epochs: '3',
};

const source = (bytes: Uint8Array) => bytesSource('p.safetensors', bytes);

/** A prompts file with other metadata, or another shape. */
const variant = async (metadata: Record<string, string>, shape: readonly number[] = file.shape) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return source(
    await safetensorsBytes([['prompts', shape, new Float32Array(size)]], new Map(Object.entries(metadata))),
  );
};

test('prompts come back as they went', async () => {
  expect(await decodePrompts(source(await encodePrompts(file)))).toEqual(file);
  const shared = { ...file, options: tuningOptions('paper', { mode: 'none' }), shape: [1, 3, 4], prompts: random(12) };
  expect(await decodePrompts(source(await encodePrompts(shared)))).toEqual(shared);
});

test('prompts that are cut anywhere are refused', async () => {
  const bytes = await encodePrompts(file);
  for (let length = 0; length < bytes.length; length += 13) {
    await expectInputError(decodePrompts(source(bytes.subarray(0, length))), /^p\.safetensors: /);
  }
});

test('metadata that is missing, damaged or contradicts itself is named', async () => {
  for (const key of Object.keys(METADATA)) {
    const { [key as 'format']: _, ...rest } = METADATA;
    await expectInputError(decodePrompts(await variant(rest)), `no metadata "${key}"`);
  }
  const { options } = file;
  const cases: [Record<string, string>, RegExp][] = [
    // Read as Infinity, which could not be written again.
    [{ options: METADATA.options.replace('"seed":0', '"seed":1e999') }, /does not describe a run/],
    [{ format: 'other' }, /expected format ptdpc-prompts 1, found "other" "1"/],
    [{ version: '2' }, /found "ptdpc-prompts" "2"/],
    [{ options: '{"mode"' }, /damaged metadata: expected JSON, found "\{\\"mode\\""/],
    [{ options: 'null' }, /does not describe a run/],
    [{ options: JSON.stringify({ ...options, template: undefined }) }, /does not describe a run/],
    [{ options: JSON.stringify({ ...options, mode: 'is' }) }, /expected prompts for 1 sets, found shape \[2, 3, 4\]/],
    [{ classes: '[]' }, /does not describe a run/],
    [{ classes: '[null]' }, /does not describe a run/],
    [{ classes: '[{"folder":"a"}]' }, /does not describe a run/],
    [{ classes: '{"folder":"a","word":"b"}' }, /does not describe a run/],
    [{ epochs: 'many' }, /damaged metadata "epochs"/],
  ];
  for (const [change, message] of cases) {
    await expectInputError(decodePrompts(await variant({ ...METADATA, ...change })), message);
  }
  await expectInputError(decodePrompts(await variant(METADATA, [2, 12])), /found shape \[2, 12\]/);
  await expectInputError(
    decodePrompts(source(await safetensorsBytes([], new Map(Object.entries(METADATA))))),
    /prompts/,
  );
});

test('a training state comes back as it went, and only into the run that it fits', async () => {
  const state = { epochs: 2, prompts: random(24), optimizer: { steps: 9, tensors: [random(24), random(24)] } };
  const bytes = await encodeTrainingState(state, 321);
  expect(await decodeTrainingState(source(bytes), 24, 'adamw')).toEqual({ state, metricsBytes: 321 });
  await expectInputError(decodeTrainingState(source(bytes), 24, 'sgd'), /expected the state of sgd, found 2 tensors/);
  await expectInputError(
    decodeTrainingState(source(bytes), 25, 'adamw'),
    /expected 25 numbers in "optimizer\.0", found 24/,
  );
  for (let length = 0; length < bytes.length; length += 29) {
    await expectInputError(decodeTrainingState(source(bytes.subarray(0, length)), 24, 'adamw'), /^p\.safetensors: /);
  }
  const text = new TextDecoder('latin1').decode(bytes);
  for (const [from, to] of [
    ['"steps":"9"', '"steps":"x"'],
    ['"epochs":"2"', '"epochs":"-"'],
    ['"metricsBytes":"321"', '"metricsBytes":"3.1"'],
  ] as const) {
    const damaged = Uint8Array.from(text.replace(from, to), (c) => c.charCodeAt(0));
    await expectInputError(
      decodeTrainingState(source(damaged), 24, 'adamw'),
      /damaged metadata "(steps|epochs|metricsBytes)"/,
    );
  }
});
