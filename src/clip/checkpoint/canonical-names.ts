/**
 * One naming scheme for the tensors of every CLIP: that of Hugging Face's `CLIPModel`. Names from OpenAI and OpenCLIP (which
 * uses the same ones, with the text tower under `text.` in its newer layout) are translated:
 *
 *     visual.conv1.weight                                vision_model.embeddings.patch_embedding.weight
 *     visual.transformer.resblocks.N.attn.in_proj_weight vision_model.encoder.layers.N.self_attn.{q,k,v}_proj.weight
 *     visual.proj  [width, joint]                        visual_projection.weight  [joint, width]
 *     transformer.resblocks.N.mlp.c_fc.weight            text_model.encoder.layers.N.mlp.fc1.weight
 *     ...
 *
 * `pre_layrnorm` is Hugging Face's own spelling.
 */
import { InputError } from '../../errors.js';
import { quoted } from './quoted.js';

/**
 * How a canonical tensor is derived from the stored one. `third` takes a third of its rows (0 = query, 1 = key, 2 = value);
 * `squeezed` drops leading axes of length 1.
 */
export type Derivation = 'same' | 'transposed' | 'scalar' | 'squeezed' | { readonly third: 0 | 1 | 2 };

export interface CanonicalTensor {
  readonly name: string;
  readonly derivation: Derivation;
}

/** The tensor that locates a CLIP among a file's names: the patch embedding, which every CLIP has exactly once. */
export const CLIP_ANCHOR = /(?:^|\.)(?:visual\.conv1|vision_model\.embeddings\.patch_embedding)\.weight$/;

/**
 * The common prefix of a model's names, as added by DistributedDataParallel, torch.compile, a training framework or a larger model:
 * everything before the tensor that `anchor` matches. Throws InputError if two tensors match, since the file then holds two models.
 */
export function prefixOf(names: readonly string[], anchor: RegExp, fileName: string): string {
  const prefixes = new Set<string>();
  for (const name of names) {
    const at = anchor.exec(name);
    if (at) prefixes.add(name.slice(0, at.index + (at[0].startsWith('.') ? 1 : 0)));
  }
  const [prefix = '', other] = prefixes;
  if (other === undefined) return prefix;
  throw new InputError(
    `${fileName}: contains two models, one under ${quoted(prefix)} and one under ${quoted(other)}; keep one, in Python: ` +
      `torch.save({k: v for k, v in state_dict.items() if k.startswith(${quoted(prefix || other)})}, "new.pt")`,
  );
}

/** Prefixes added by wrappers, stripped also if no tensor matches the anchor. */
export const WRAPPER_PREFIX = /^(?:module\.|_orig_mod\.|model\.)+/;

/** Buffers that carry nothing beyond what the shapes show. */
const IGNORED =
  /(?:^|\.)(?:position_ids|attn_mask|num_batches_tracked)$|^(?:input_resolution|context_length|vocab_size)$/;

const VISION_STEM: ReadonlyMap<string, string> = new Map([
  ['class_embedding', 'embeddings.class_embedding'],
  ['conv1.weight', 'embeddings.patch_embedding.weight'],
  ['positional_embedding', 'embeddings.position_embedding.weight'],
  ['ln_pre.weight', 'pre_layrnorm.weight'],
  ['ln_pre.bias', 'pre_layrnorm.bias'],
  ['ln_post.weight', 'post_layernorm.weight'],
  ['ln_post.bias', 'post_layernorm.bias'],
]);

const TEXT_STEM: ReadonlyMap<string, string> = new Map([
  ['token_embedding.weight', 'embeddings.token_embedding.weight'],
  ['positional_embedding', 'embeddings.position_embedding.weight'],
  ['ln_final.weight', 'final_layer_norm.weight'],
  ['ln_final.bias', 'final_layer_norm.bias'],
]);

const BLOCK_PART: ReadonlyMap<string, string> = new Map([
  ['ln_1', 'layer_norm1'],
  ['ln_2', 'layer_norm2'],
  ['attn.out_proj', 'self_attn.out_proj'],
  ['mlp.c_fc', 'mlp.fc1'],
  ['mlp.c_proj', 'mlp.fc2'],
]);

/**
 * The canonical tensors that a stored tensor provides: usually one, three for a stacked query-key-value projection, none
 * for an ignored buffer. Unknown names are kept as they are.
 */
export function canonicalTensors(storedName: string): readonly CanonicalTensor[] {
  const name = storedName.replace(WRAPPER_PREFIX, '');
  if (IGNORED.test(name)) return [];
  if (name === 'logit_scale') return [{ name, derivation: 'scalar' }];
  const vision = /^visual\.(.*)$/s.exec(name)?.[1];
  if (vision !== undefined) {
    if (vision === 'proj') return [{ name: 'visual_projection.weight', derivation: 'transposed' }];
    return towerTensors('vision_model', VISION_STEM, vision) ?? [{ name, derivation: 'same' }];
  }
  const text = name.replace(/^text\./, '');
  if (text === 'text_projection') return [{ name: 'text_projection.weight', derivation: 'transposed' }];
  // OpenCLIP stores a projection with bias as a linear layer, which already has the canonical orientation.
  if (text === 'text_projection.weight') return [{ name: text, derivation: 'same' }];
  return towerTensors('text_model', TEXT_STEM, text) ?? [{ name, derivation: 'same' }];
}

function towerTensors(
  tower: string,
  stem: ReadonlyMap<string, string>,
  name: string,
): readonly CanonicalTensor[] | undefined {
  const stemName = stem.get(name);
  if (stemName !== undefined) return [{ name: `${tower}.${stemName}`, derivation: 'same' }];
  const block = /^transformer\.resblocks\.(\d+)\.(.+?)[._](weight|bias)$/.exec(name);
  if (!block) return undefined;
  const [, layer, part, kind] = block;
  const prefix = `${tower}.encoder.layers.${layer}`;
  if (part === 'attn.in_proj') {
    return (['q', 'k', 'v'] as const).map((letter, third) => ({
      name: `${prefix}.self_attn.${letter}_proj.${kind}`,
      derivation: { third: third as 0 | 1 | 2 },
    }));
  }
  const canonicalPart = BLOCK_PART.get(part!);
  return canonicalPart === undefined ? undefined : [{ name: `${prefix}.${canonicalPart}.${kind}`, derivation: 'same' }];
}
