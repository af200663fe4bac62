import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../src/clip/checkpoint/byte-source.js';
import { readFloat32 } from '../../../src/clip/checkpoint/checkpoint.js';
import { convertToModelDirectory, writeClipSafetensors } from '../../../src/clip/checkpoint/convert.js';
import { openCheckpoint } from '../../../src/clip/checkpoint/open-checkpoint.js';
import { clipTensors, inferConfig, parseConfigJson } from '../../../src/clip/config.js';
import { collector, counting, expectInputError, fixtureBytes, openFixture } from './support.js';

const CONFIG = parseConfigJson(new TextDecoder().decode(fixtureBytes('clip-tiny/config.json')), 'config.json');
const FORMATS = [
  'model.safetensors',
  'open_clip_model.safetensors',
  'openai_torchscript.pt',
  'pytorch_model.bin',
  'state_dict_f16.pt',
];

async function convert(file: string, dtype: 'f32' | 'f16'): Promise<Uint8Array<ArrayBuffer>> {
  const collect = collector();
  await writeClipSafetensors(await openFixture(`clip-tiny/${file}`), CONFIG, { dtype }, collect.sink);
  return collect.bytes();
}

describe('conversion', () => {
  test('all formats become the same file, byte for byte', async () => {
    for (const dtype of ['f32', 'f16'] as const) {
      const files = await Promise.all(FORMATS.map((file) => convert(file, dtype)));
      for (const file of files.slice(1)) expect(Buffer.compare(file, files[0]!)).toBe(0);
    }
  });

  test('the tensors are those of the Hugging Face file, in F32 and, being representable, in F16', async () => {
    const reference = await openFixture('clip-tiny/model.safetensors');
    for (const dtype of ['f32', 'f16'] as const) {
      const converted = await openCheckpoint(bytesSource('x', await convert('openai_torchscript.pt', dtype)));
      expect(converted.metadata.get('format')).toBe('pt');
      expect(new Set(converted.names())).toEqual(new Set(clipTensors(CONFIG).map(({ name }) => name)));
      for (const { name, shape } of clipTensors(CONFIG)) {
        expect(converted.shape(name)).toEqual(shape);
        expect(converted.dtype(name)).toBe(dtype === 'f16' && name !== 'logit_scale' ? 'F16' : 'F32');
        const [found, wanted] = [await readFloat32(converted, name), await readFloat32(reference, name)];
        expect(
          found.every((value, i) => value === wanted[i]),
          name,
        ).toBe(true);
      }
    }
  });

  test('a model directory is complete, and converts to itself', async () => {
    const files = new Map<string, Uint8Array[]>();
    const order: string[] = [];
    await convertToModelDirectory(
      await openFixture('clip-tiny/openai_torchscript.pt'),
      CONFIG,
      { dtype: 'f16' },
      (name, chunk) => {
        if (!files.has(name)) order.push(name);
        files.set(name, [...(files.get(name) ?? []), chunk.slice()]);
      },
    );
    expect(order).toEqual(['model.safetensors', 'config.json']);
    const json = Buffer.concat(files.get('config.json')!).toString();
    expect(parseConfigJson(json, 'config.json')).toEqual(CONFIG);
    expect(JSON.parse(json).torch_dtype).toBe('float16');
    const model = new Uint8Array(Buffer.concat(files.get('model.safetensors')!));
    const again = collector();
    await writeClipSafetensors(await openCheckpoint(bytesSource('x', model)), CONFIG, { dtype: 'f16' }, again.sink);
    expect(Buffer.compare(again.bytes(), model)).toBe(0);
  });

  test('memory stays at the largest tensor', async () => {
    const source = counting(bytesSource('x', fixtureBytes('clip-tiny/pytorch_model.bin')));
    const checkpoint = await openCheckpoint(source);
    source.largest = 0;
    source.total = 0;
    const collect = collector();
    await writeClipSafetensors(checkpoint, CONFIG, { dtype: 'f32' }, collect.sink);
    const largestTensor = 512 * 128 * 4;
    expect(source.largest).toBe(largestTensor);
    expect(collect.largest()).toBe(largestTensor);
    expect(source.total).toBeLessThan(source.size);
  });

  test('a slow sink is waited for, and its failure stops the conversion', async () => {
    const checkpoint = await openFixture('clip-tiny/model.safetensors');
    let open = 0;
    await writeClipSafetensors(checkpoint, CONFIG, { dtype: 'f32' }, async () => {
      expect(++open).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      open--;
    });
    let chunks = 0;
    const full = writeClipSafetensors(checkpoint, CONFIG, { dtype: 'f32' }, () => {
      if (++chunks === 3) throw new Error('disk full');
    });
    await expect(full).rejects.toThrow('disk full');
    expect(chunks).toBe(3);
  });
});

describe('refusals, before anything is written', () => {
  test('a checkpoint that does not fit its configuration', async () => {
    const checkpoint = await openFixture('clip-tiny/model.safetensors');
    const config = { ...CONFIG, vision: { ...CONFIG.vision, layers: 3 } };
    const collect = collector();
    await expectInputError(
      writeClipSafetensors(checkpoint, config, { dtype: 'f32' }, collect.sink),
      /layers\.2\.layer_norm1\.weight/,
    );
    expect(collect.bytes()).toHaveLength(0);
  });

  test('a value that half precision cannot hold', async () => {
    const reference = await openFixture('clip-tiny/model.safetensors');
    const name = 'visual_projection.weight';
    const config = inferConfig(reference, { activation: 'gelu' });
    const large = {
      ...reference,
      read: async (tensor: string) => {
        const values = await reference.read(tensor);
        if (tensor === name) values[5] = 70_000;
        return values;
      },
    };
    await expectInputError(
      writeClipSafetensors(large, config, { dtype: 'f16' }, () => {}),
      /visual_projection\.weight.*70000.*f32/,
    );
    await writeClipSafetensors(large, config, { dtype: 'f32' }, () => {});
  });
});
