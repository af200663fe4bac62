/** safetensors: damaged files, and headers that lie. */
import { bytesSource } from '../../src/clip/checkpoint/byte-source.js';
import type { Checkpoint } from '../../src/clip/checkpoint/checkpoint.js';
import { openSafetensors } from '../../src/clip/checkpoint/safetensors.js';
import { inferConfig } from '../../src/clip/config.js';
import { concat, littleEndian } from '../../test/support/bytes.js';
import { mutateJson } from '../mutate-json.js';
import { type FuzzedParser, MiB, maybeDamaged, utf8 } from '../parser.js';
import type { Random } from '../random.js';

const NAMES = [
  'prompts',
  'logit_scale',
  'visual.proj',
  'visual.conv1.weight',
  'text_projection',
  'transformer.resblocks.0.attn.in_proj_weight',
  'vision_model.embeddings.patch_embedding.weight',
  'module.token_embedding.weight',
  '__proto__',
  'a\nb',
];
const DTYPES = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, U8: 1, BOOL: 1 } as const;

/** The tensors that the configuration of a CLIP is inferred from: of width 64, and mostly empty. */
const CLIP: readonly (readonly [name: string, shape: readonly number[]])[] = [
  ['vision_model.embeddings.patch_embedding.weight', [64, 3, 1, 1]],
  ['vision_model.embeddings.position_embedding.weight', [2, 64]],
  ['vision_model.encoder.layers.0.layer_norm1.weight', [64]],
  ['vision_model.encoder.layers.0.mlp.fc1.weight', [4, 0]],
  ['text_model.embeddings.token_embedding.weight', [3, 64]],
  ['text_model.embeddings.position_embedding.weight', [7, 0]],
  ['text_model.encoder.layers.0.layer_norm1.weight', [64]],
  ['text_model.encoder.layers.0.mlp.fc1.weight', [4, 0]],
  ['text_projection.weight', [64, 0]],
];

function clip(random: Random): Uint8Array<ArrayBuffer> {
  let end = 0;
  const entries = CLIP.map(([name, shape]) => {
    const begin = end;
    end += shape.reduce((count, size) => count * size, 1);
    return [name, { dtype: 'U8', shape, data_offsets: [begin, end] }];
  });
  return withHeader(JSON.stringify(Object.fromEntries(entries)), random.bytes(end));
}

/** A well-formed file of up to ten small tensors, with or without metadata. */
export function wellFormed(random: Random): Uint8Array<ArrayBuffer> {
  if (random.oneIn(3)) return clip(random);
  const header: [string, unknown][] = [];
  let end = 0;
  for (const name of NAMES.filter(() => random.oneIn(2))) {
    const dtype = random.pick(Object.keys(DTYPES)) as keyof typeof DTYPES;
    const shape = Array.from({ length: random.below(4) }, () => random.pick([0, 1, 2, 3, 6]));
    const begin = end;
    end += shape.reduce((count, size) => count * size, 1) * DTYPES[dtype];
    header.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  if (random.oneIn(2)) header.push(['__metadata__', { format: 'pt', epochs: '3' }]);
  return withHeader(
    `{${header.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(',')}}`,
    random.bytes(end),
  );
}

export function withHeader(json: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = utf8(json);
  return concat(littleEndian(header.length, 8), header, data);
}

/** The file with its header changed as JSON, the length put right. */
export function mutateHeader(file: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  const end = 8 + new DataView(file.buffer, file.byteOffset).getUint32(0, true);
  return withHeader(mutateJson(new TextDecoder().decode(file.subarray(8, end)), random), file.subarray(end));
}

/** Reads every tensor, the first row of each, and, where there is a sign of a CLIP, its configuration. */
export async function readAll(checkpoint: Checkpoint): Promise<void> {
  for (const name of checkpoint.names().slice(0, 50)) {
    await checkpoint.read(name);
    if ((checkpoint.shape(name)[0] ?? 0) > 0) await checkpoint.read(name, { first: 0, count: 1 });
  }
  if (checkpoint.has('text_projection.weight') || checkpoint.has('visual.proj')) {
    inferConfig(checkpoint, { activation: 'gelu' });
  }
}

export const safetensors: FuzzedParser = {
  name: 'safetensors',
  what: 'safetensors files, and the inference of a configuration from their tensors',
  make(random) {
    const file = wellFormed(random);
    return random.oneIn(2) ? mutateHeader(file, random) : maybeDamaged(file, random, wellFormed(random));
  },
  read: async (input) => readAll(await openSafetensors(bytesSource('input.safetensors', input))),
  names: 'input.safetensors',
  memory: (length) => 16 * MiB + 64 * length,
};
