/**
 * BEiT's checkpoints (Bao et al., 2022), with the names of timm (`timm/models/beit.py`), which are those of the authors' files, or of Hugging Face
 * (`BeitModel`). Both become canonical names, under `vision_model.`:
 *
 *     timm                                      Hugging Face (under `beit.`)                canonical
 *     cls_token                                 embeddings.cls_token                        embeddings.class_embedding
 *     patch_embed.proj                          embeddings.patch_embeddings.projection      embeddings.patch_embedding
 *     rel_pos_bias.relative_position_bias_table encoder.relative_position_bias.*_table      encoder.relative_position_bias_table
 *     blocks.N.attn.relative_position_bias_table  encoder.layer.N ... *_table               encoder.layers.N.self_attn.relative_position_bias_table
 *     blocks.N.attn.qkv (stacked), q_bias, v_bias  ...attention.attention.{query,key,value}  encoder.layers.N.self_attn.{q,k,v}_proj
 *     blocks.N.gamma_1, gamma_2                 encoder.layer.N.lambda_1, lambda_2          encoder.layers.N.layer_scale1, layer_scale2
 *     fc_norm                                   pooler.layernorm                            pooled_norm
 *     norm                                      layernorm                                   post_layernorm
 *
 * Keys have no bias. Fine-tuned models have a table of biases in every layer and `fc_norm`; pre-trained ones (`pt22k`) one table for all layers
 * and `norm`; by its mask's token, which no feature needs, a pre-trained one is known. Classifiers and the tables' index, which follows from their
 * size, are dropped.
 */

import { type CanonicalTensor, WRAPPER_PREFIX } from '../clip/checkpoint/canonical-names.js';
import { type CanonicalClip, type Checkpoint, canonicalClip } from '../clip/checkpoint/index.js';
import { quoted } from '../clip/checkpoint/quoted.js';
import { affine, blockTensors, type ExpectedTensor, requireShapes } from '../clip/config/tensors.js';
import type { TowerConfig } from '../clip/config.js';
import { InputError } from '../errors.js';
import { MAX_HEAD_WIDTH } from '../tensor/index.js';
import { gridOfTable, tableLength } from './beit-positions.js';

/** Sizes of a BEiT. */
export interface BeitConfig extends TowerConfig {
  readonly kind: 'beit';
  readonly imageSize: number;
  /** Side of a square patch in pixels; divides `imageSize`. */
  readonly patchSize: number;
  /** 1e-6 in timm, 1e-12 in Hugging Face's models. */
  readonly layerNormEpsilon: number;
  /** Whose names the checkpoint has: they differ in epsilon and in preprocessing too. */
  readonly names: 'timm' | 'huggingface';
  /** What the last layer norm is of: the mean of the patches (fine-tuned models), or every patch before the mean (pre-trained ones). */
  readonly norm: 'mean' | 'patches';
}

const STEM: ReadonlyMap<string, readonly [name: string, derivation: 'same' | 'squeezed']> = new Map([
  ['cls_token', ['embeddings.class_embedding', 'squeezed']],
  ['embeddings.cls_token', ['embeddings.class_embedding', 'squeezed']],
  ['mask_token', ['embeddings.mask_token', 'squeezed']],
  ['embeddings.mask_token', ['embeddings.mask_token', 'squeezed']],
  ['rel_pos_bias.relative_position_bias_table', ['encoder.relative_position_bias_table', 'same']],
  ['encoder.relative_position_bias.relative_position_bias_table', ['encoder.relative_position_bias_table', 'same']],
]);

/** Parts with a weight and a bias. */
const STEM_PART: ReadonlyMap<string, string> = new Map([
  ['patch_embed.proj', 'embeddings.patch_embedding'],
  ['embeddings.patch_embeddings.projection', 'embeddings.patch_embedding'],
  ['fc_norm', 'pooled_norm'],
  ['pooler.layernorm', 'pooled_norm'],
  ['norm', 'post_layernorm'],
  ['layernorm', 'post_layernorm'],
]);

const BLOCK_PART: ReadonlyMap<string, string> = new Map([
  ['norm1', 'layer_norm1'],
  ['layernorm_before', 'layer_norm1'],
  ['norm2', 'layer_norm2'],
  ['layernorm_after', 'layer_norm2'],
  ['attn.proj', 'self_attn.out_proj'],
  ['attention.output.dense', 'self_attn.out_proj'],
  ['attention.attention.query', 'self_attn.q_proj'],
  ['attention.attention.key', 'self_attn.k_proj'],
  ['attention.attention.value', 'self_attn.v_proj'],
  ['mlp.fc1', 'mlp.fc1'],
  ['intermediate.dense', 'mlp.fc1'],
  ['mlp.fc2', 'mlp.fc2'],
  ['output.dense', 'mlp.fc2'],
]);

/** Tensors of a block that are neither weight nor bias of a part. */
const BLOCK_TENSOR: ReadonlyMap<string, string> = new Map([
  ['attn.q_bias', 'self_attn.q_proj.bias'],
  ['attn.v_bias', 'self_attn.v_proj.bias'],
  ['attn.relative_position_bias_table', 'self_attn.relative_position_bias_table'],
  ['attention.attention.relative_position_bias.relative_position_bias_table', 'self_attn.relative_position_bias_table'],
  ['gamma_1', 'layer_scale1'],
  ['lambda_1', 'layer_scale1'],
  ['gamma_2', 'layer_scale2'],
  ['lambda_2', 'layer_scale2'],
]);

const DROPPED = /^(?:(?:head|classifier|lm_head)\.(?:weight|bias)|(?:.+\.)?relative_position_index)$/;

const ANCHOR = /(?:^|\.)(?:patch_embed\.proj|(?:beit\.)?embeddings\.patch_embeddings\.projection)\.weight$/;

/** Whether names are of a BEiT: biases of relative positions beside a class token, which a Swin transformer has not. */
export function isBeit(names: readonly string[]): boolean {
  return ['cls_token', '.relative_position_bias_table'].every((part) => names.some((name) => name.endsWith(part)));
}

/** The canonical tensors that a stored one provides. Names that are not BEiT's are kept as they are. */
function beitTensorsOf(storedName: string): readonly CanonicalTensor[] {
  const name = storedName.replace(WRAPPER_PREFIX, '').replace(/^beit\./, '');
  if (DROPPED.test(name)) return [];
  const stem = STEM.get(name);
  if (stem) return [{ name: `vision_model.${stem[0]}`, derivation: stem[1] }];
  const [, part = '', kind] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
  if (STEM_PART.has(part)) return [{ name: `vision_model.${STEM_PART.get(part)}.${kind}`, derivation: 'same' }];
  const [, layer, rest = ''] = /^(?:blocks|encoder\.layer)\.(\d+)\.(.+)$/.exec(name) ?? [];
  const prefix = `vision_model.encoder.layers.${layer}`;
  if (rest === 'attn.qkv.weight') {
    return (['q', 'k', 'v'] as const).map((letter, third) => ({
      name: `${prefix}.self_attn.${letter}_proj.weight`,
      derivation: { third: third as 0 | 1 | 2 },
    }));
  }
  const [, blockPart = '', blockKind] = /^(.+)\.(weight|bias)$/.exec(rest) ?? [];
  const known = BLOCK_TENSOR.get(rest) ?? (BLOCK_PART.has(blockPart) && `${BLOCK_PART.get(blockPart)}.${blockKind}`);
  return [{ name: known ? `${prefix}.${known}` : name, derivation: 'same' }];
}

const MASK = 'vision_model.embeddings.mask_token';

/** The table that all layers share, if there is one. */
export const SHARED_TABLE = 'vision_model.encoder.relative_position_bias_table';

/** A layer's own table. */
export function tableOf(layer: number): string {
  return `vision_model.encoder.layers.${layer}.self_attn.relative_position_bias_table`;
}

/**
 * Reads the sizes of a BEiT from its tensors and checks all of these. Throws InputError naming the first tensor that is missing, of another shape,
 * or not a BEiT's.
 */
export function readBeit(checkpoint: Checkpoint): { config: BeitConfig; weights: CanonicalClip } {
  const weights = canonicalClip(checkpoint, beitTensorsOf, ANCHOR);
  const config = inferBeit(weights);
  const expected = beitTensors(weights, config);
  requireShapes(weights, expected);
  const known = new Set(expected.map(({ name }) => name));
  const extra = weights.names().find((name) => !known.has(name));
  if (extra !== undefined) {
    throw new InputError(
      `${weights.name}: tensor ${quoted(weights.storedName(extra))} is not part of a BEiT, so this program cannot run it`,
    );
  }
  if (config.norm === 'patches' && !weights.has(MASK)) {
    throw new InputError(
      `${weights.name}: a BEiT with "norm" and without "mask_token" was fine-tuned on its class token; expected one with "fc_norm", which was on the mean of its patches, or a pre-trained one`,
    );
  }
  return { config, weights };
}

function inferBeit(weights: CanonicalClip): BeitConfig {
  const { name } = weights;
  const sizes = (tensor: string, rank: number): readonly number[] => {
    if (!weights.has(tensor))
      throw new InputError(
        `${name}: not a BEiT with timm's or Hugging Face's names, or incomplete: "${tensor}" is missing`,
      );
    const shape = weights.shape(tensor);
    if (shape.length === rank) return shape;
    throw new InputError(
      `${name}: tensor ${quoted(weights.storedName(tensor))} should have ${rank} dimensions, its shape is [${shape.join(', ')}]`,
    );
  };
  const patches = 'vision_model.embeddings.patch_embedding.weight';
  const [width = 0, , patchSize = 0] = sizes(patches, 4);
  const [intermediate = 0] = sizes('vision_model.encoder.layers.0.mlp.fc1.weight', 2);
  const table = weights.has(SHARED_TABLE) ? SHARED_TABLE : tableOf(0);
  const [biases = 0, heads = 0] = sizes(table, 2);
  const grid = gridOfTable(biases);
  if (grid === undefined) {
    throw new InputError(
      `${name}: tensor ${quoted(weights.storedName(table))} should have (2g - 1)^2 + 3 rows for a grid of g patches a side, found ${biases}`,
    );
  }
  const headWidth = width / heads;
  if (!Number.isInteger(headWidth) || headWidth > MAX_HEAD_WIDTH) {
    throw new InputError(
      `${name}: the width ${width} should be ${heads} heads of a whole number of columns, at most ${MAX_HEAD_WIDTH} each; ${quoted(weights.storedName(table))} has ${heads} columns`,
    );
  }
  let layers = 0;
  while (weights.has(`vision_model.encoder.layers.${layers}.layer_norm1.weight`)) layers++;
  const names = weights.storedName(patches).includes('patch_embed.') ? 'timm' : 'huggingface';
  return {
    kind: 'beit',
    width,
    layers,
    heads,
    intermediate,
    imageSize: grid * patchSize,
    patchSize,
    layerNormEpsilon: names === 'timm' ? 1e-6 : 1e-12,
    names,
    norm: weights.has('vision_model.pooled_norm.weight') ? 'mean' : 'patches',
  };
}

function beitTensors(weights: CanonicalClip, config: BeitConfig): ExpectedTensor[] {
  const { width, patchSize, imageSize, layers, heads } = config;
  const table = [tableLength(imageSize / patchSize), heads];
  const layerNumbers = Array.from({ length: layers }, (_, layer) => layer);
  const scaled = weights.has('vision_model.encoder.layers.0.layer_scale1');
  return [
    { name: 'vision_model.embeddings.class_embedding', shape: [width] },
    ...(weights.has(MASK) ? [{ name: MASK, shape: [width] }] : []),
    ...affine('vision_model.embeddings.patch_embedding', [width, 3, patchSize, patchSize]),
    ...blockTensors('vision_model', config).filter(({ name }) => !name.endsWith('.k_proj.bias')),
    ...layerNumbers.flatMap((layer) =>
      scaled
        ? [1, 2].map((i) => ({ name: `vision_model.encoder.layers.${layer}.layer_scale${i}`, shape: [width] }))
        : [],
    ),
    ...(weights.has(SHARED_TABLE)
      ? [{ name: SHARED_TABLE, shape: table }]
      : layerNumbers.map((layer) => ({ name: tableOf(layer), shape: table }))),
    ...affine(config.norm === 'mean' ? 'vision_model.pooled_norm' : 'vision_model.post_layernorm', [width]),
  ];
}
