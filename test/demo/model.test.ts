import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const folder = new URL('../../assets/demo-model/', import.meta.url);

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

describe('assets/demo-model', () => {
  const config = JSON.parse(readFileSync(new URL('config.json', folder), 'utf8'));
  const file = readFileSync(new URL('model.safetensors', folder));
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<string, Entry>;
  const tensors = Object.entries(header).filter(([name]) => name !== '__metadata__');

  it('is a whole model directory of at most 3 MB', () => {
    const names = readdirSync(folder);
    expect(names.sort()).toEqual(['README.md', 'config.json', 'merges.txt', 'model.safetensors', 'vocab.json']);
    const bytes = names.reduce((sum, name) => sum + statSync(new URL(name, folder)).size, 0);
    expect(bytes).toBeLessThanOrEqual(3_000_000);
  });

  it('has the shapes that its configuration and vocabulary say', () => {
    const { text_config: text, vision_config: vision, projection_dim: joint } = config;
    const vocabulary = Object.keys(JSON.parse(readFileSync(new URL('vocab.json', folder), 'utf8'))).length;
    expect(text.vocab_size).toBe(vocabulary);
    expect(text.hidden_size).toBe(joint);
    const shape = (name: string): number[] | undefined => header[name]?.shape;
    expect(shape('text_model.embeddings.token_embedding.weight')).toEqual([vocabulary, joint]);
    expect(shape('text_model.embeddings.position_embedding.weight')).toEqual([text.max_position_embeddings, joint]);
    expect(shape('vision_model.embeddings.patch_embedding.weight')).toEqual([vision.hidden_size, 3, 16, 16]);
    expect(shape('vision_model.embeddings.position_embedding.weight')).toEqual([17, vision.hidden_size]);
    expect(shape('visual_projection.weight')).toEqual([joint, vision.hidden_size]);
    expect(shape('logit_scale')).toEqual([]);
    for (const [tower, layers] of [
      ['text', text.num_hidden_layers],
      ['vision', vision.num_hidden_layers],
    ] as const) {
      const blocks = new Set(tensors.map(([name]) => name.match(`^${tower}_model.encoder.layers.(\\d+)`)?.[1]));
      blocks.delete(undefined);
      expect(blocks.size).toBe(layers);
    }
  });

  it('stores finite half-precision values that fill the file without a gap', () => {
    let end = 0;
    for (const [, { dtype, shape, data_offsets: offsets }] of tensors) {
      expect(dtype).toBe('F16');
      expect(offsets).toEqual([end, end + 2 * shape.reduce((product, size) => product * size, 1)]);
      end = offsets[1];
    }
    expect(8 + headerLength + end).toBe(file.length);
    const data = file.subarray(8 + headerLength);
    for (let at = 0; at < data.length; at += 2) {
      if ((data.readUInt16LE(at) & 0x7c00) === 0x7c00) expect.fail(`an infinite value or no number at byte ${at}`);
    }
  });
});
