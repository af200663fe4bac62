/**
 * Translates timm's tensor names for vision transformers (`timm/models/vision_transformer.py` of huggingface/pytorch-image-models),
 * which DeiT's published checkpoints also use (`models.py` of facebookresearch/deit), to canonical names:
 *
 *     cls_token, dist_token                     embeddings.class_embedding, embeddings.distillation_embedding
 *     pos_embed                                 embeddings.position_embedding.weight
 *     patch_embed.proj.{weight,bias}            embeddings.patch_embedding.{weight,bias}
 *     blocks.N.norm1, .norm2                    encoder.layers.N.layer_norm1, .layer_norm2
 *     blocks.N.attn.qkv (stacked), .attn.proj   encoder.layers.N.self_attn.{q,k,v}_proj, .out_proj
 *     blocks.N.mlp.fc1, .fc2                    encoder.layers.N.mlp.fc1, .fc2
 *     norm                                      post_layernorm
 *
 * all under `vision_model.`. Classifiers (`head`, `head_dist`) are dropped; a probe trains its own.
 */
import { type CanonicalTensor, WRAPPER_PREFIX } from './canonical-names.js';

/** See `prefixOf`. */
export const VIT_ANCHOR = /(?:^|\.)patch_embed\.proj\.weight$/;

const STEM: ReadonlyMap<string, CanonicalTensor> = new Map(
  (
    [
      ['cls_token', 'embeddings.class_embedding', 'squeezed'],
      ['dist_token', 'embeddings.distillation_embedding', 'squeezed'],
      ['pos_embed', 'embeddings.position_embedding.weight', 'squeezed'],
      ['patch_embed.proj.weight', 'embeddings.patch_embedding.weight', 'same'],
      ['patch_embed.proj.bias', 'embeddings.patch_embedding.bias', 'same'],
      ['norm.weight', 'post_layernorm.weight', 'same'],
      ['norm.bias', 'post_layernorm.bias', 'same'],
    ] as const
  ).map(([stored, name, derivation]) => [stored, { name: `vision_model.${name}`, derivation }]),
);

const BLOCK_PART: ReadonlyMap<string, string> = new Map([
  ['norm1', 'layer_norm1'],
  ['norm2', 'layer_norm2'],
  ['attn.proj', 'self_attn.out_proj'],
  ['mlp.fc1', 'mlp.fc1'],
  ['mlp.fc2', 'mlp.fc2'],
]);

const CLASSIFIER = /^(?:head|head_dist)\.(?:weight|bias)$/;

/** The canonical tensors that a stored tensor provides. Names that are not timm's are kept as they are. */
export function vitTensorsOf(storedName: string): readonly CanonicalTensor[] {
  const name = storedName.replace(WRAPPER_PREFIX, '');
  if (CLASSIFIER.test(name)) return [];
  const stem = STEM.get(name);
  if (stem) return [stem];
  const [, layer, part, kind] = /^blocks\.(\d+)\.(.+)\.(weight|bias)$/.exec(name) ?? [];
  const prefix = `vision_model.encoder.layers.${layer}`;
  if (part === 'attn.qkv') {
    return (['q', 'k', 'v'] as const).map((letter, third) => ({
      name: `${prefix}.self_attn.${letter}_proj.${kind}`,
      derivation: { third: third as 0 | 1 | 2 },
    }));
  }
  const canonicalPart = BLOCK_PART.get(part ?? '');
  return [{ name: canonicalPart ? `${prefix}.${canonicalPart}.${kind}` : name, derivation: 'same' }];
}
