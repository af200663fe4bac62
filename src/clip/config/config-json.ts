/**
 * Reads and writes Hugging Face's `config.json` for `CLIPModel`. Missing keys take the defaults of transformers'
 * `CLIPConfig` (configuration_clip.py), which are the sizes of OpenAI's ViT-B/32; published files rely on them.
 */
import { InputError } from '../../errors.js';
import { quoted } from '../checkpoint/quoted.js';
import { type Activation, type ClipConfig, checkConfig } from './clip-config.js';
import { JsonFields } from './json-fields.js';

/**
 * Parses a `config.json`, or OpenCLIP's `open_clip_config.json`. `fileName` names it in errors. Throws `InputError` for
 * other kinds of model and for sizes that this program cannot run.
 */
export function parseConfigJson(text: string, fileName: string): ClipConfig {
  const root = JsonFields.parse(text, fileName);
  const openClip = root.object('model_cfg');
  if (openClip) return parseOpenClipConfig(openClip, fileName);
  requireClip(root, fileName);

  // Files from before transformers 4.25 may also have `*_config_dict`; as in transformers, it takes precedence, defaults included.
  const empty = JsonFields.parse('{}', fileName);
  const textFields = root.object('text_config_dict') ?? root.object('text_config') ?? empty;
  const visionFields = root.object('vision_config_dict') ?? root.object('vision_config') ?? empty;
  const channels = visionFields.number('num_channels', 3);
  if (channels !== 3) throw new InputError(`${fileName}: num_channels should be 3, found ${channels}`);

  const shared = <T>(key: string, read: (fields: JsonFields) => T): T => {
    const [inText, inVision] = [read(textFields), read(visionFields)];
    if (inText === inVision) return inText;
    throw new InputError(
      `${fileName}: ${key} is ${quoted(inText)} for text and ${quoted(inVision)} for images; they should agree`,
    );
  };
  const activation = shared('hidden_act', (fields) => fields.text('hidden_act', 'quick_gelu'));
  const layerNormEpsilon = shared('layer_norm_eps', (fields) => fields.number('layer_norm_eps', 1e-5));
  if (!isActivation(activation)) {
    throw new InputError(`${fileName}: hidden_act should be "quick_gelu" or "gelu", found ${quoted(activation)}`);
  }

  const config: ClipConfig = {
    projectionDim: root.number('projection_dim', 512),
    activation,
    layerNormEpsilon,
    text: {
      width: textFields.number('hidden_size', 512),
      layers: textFields.number('num_hidden_layers', 12),
      heads: textFields.number('num_attention_heads', 8),
      intermediate: textFields.number('intermediate_size', 2048),
      context: textFields.number('max_position_embeddings', 77),
      vocabularySize: textFields.number('vocab_size', 49_408),
      ...specialTokens(textFields),
    },
    vision: {
      width: visionFields.number('hidden_size', 768),
      layers: visionFields.number('num_hidden_layers', 12),
      heads: visionFields.number('num_attention_heads', 12),
      intermediate: visionFields.number('intermediate_size', 3072),
      imageSize: visionFields.number('image_size', 224),
      patchSize: visionFields.number('patch_size', 32),
    },
  };
  return checkConfig(config, fileName);
}

/** Keys of a CLIP's configuration; files that predate `model_type` have at least one of them. */
const PARTS = ['text_config', 'vision_config', 'text_config_dict', 'vision_config_dict', 'projection_dim'];

/** Throws InputError if the configuration is not a CLIP's; with CLIP's defaults it would run, and give wrong features. */
function requireClip(root: JsonFields, fileName: string): void {
  const modelType = root.value('model_type');
  if (modelType === 'clip' || (modelType === undefined && PARTS.some((part) => root.value(part) !== undefined))) return;
  if (modelType !== undefined)
    throw new InputError(`${fileName}: model_type should be "clip", found ${quoted(modelType)}`);
  const isTimm = root.value('pretrained_cfg') !== undefined || root.value('architecture') !== undefined;
  const found = isTimm
    ? `found timm's configuration of an image tower (${quoted(root.value('architecture') ?? 'unnamed')})`
    : 'found neither model_type nor the parts of one';
  throw new InputError(
    `${fileName}: expected the configuration of a CLIP, ${found}; an open_clip_config.json beside it would be read instead`,
  );
}

/**
 * The ids of SOT and EOT. OpenAI's files have 0 and 2, which are not the vocabulary's and are ignored, as in transformers, which then
 * takes the highest id as EOT.
 */
function specialTokens(fields: JsonFields): Pick<ClipConfig['text'], 'sot' | 'eot'> {
  const [sot, eot] = [fields.number('bos_token_id', 0), fields.number('eos_token_id', 2)];
  return { ...(sot !== 0 && { sot }), ...(eot !== 2 && { eot }) };
}

function isActivation(name: string): name is Activation {
  return name === 'quick_gelu' || name === 'gelu';
}

/**
 * Returns a `config.json` that transformers' `CLIPModel` and `parseConfigJson` can read. `storedDType` is the type of the
 * weights in the same directory.
 */
export function configToJson(config: ClipConfig, storedDType: 'float32' | 'float16' = 'float32'): string {
  const { projectionDim, activation, layerNormEpsilon, text, vision } = config;
  const tower = ({ width, layers, heads, intermediate }: ClipConfig['text' | 'vision']) => ({
    hidden_size: width,
    intermediate_size: intermediate,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    projection_dim: projectionDim,
    hidden_act: activation,
    layer_norm_eps: layerNormEpsilon,
  });
  const json = {
    architectures: ['CLIPModel'],
    model_type: 'clip',
    projection_dim: projectionDim,
    torch_dtype: storedDType,
    text_config: {
      model_type: 'clip_text_model',
      ...tower(text),
      max_position_embeddings: text.context,
      vocab_size: text.vocabularySize,
      // If unknown, the ids in OpenAI's files: an eos_token_id of 2 makes transformers read the text feature at the highest id, as
      // CLIP does.
      bos_token_id: text.sot ?? 0,
      eos_token_id: text.eot ?? 2,
      pad_token_id: 1,
    },
    vision_config: {
      model_type: 'clip_vision_model',
      ...tower(vision),
      image_size: vision.imageSize,
      num_channels: 3,
      patch_size: vision.patchSize,
    },
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

// OpenCLIP's `open_clip_config.json`, which comes with its checkpoints on the Hugging Face hub (`model_cfg`; the same fields
// as open_clip's src/open_clip/model_configs/*.json). Fields that would change the architecture are refused by name, so
// that other architectures are not run as a ViT CLIP.

const MODEL_KEYS = new Set(['embed_dim', 'quick_gelu', 'vision_cfg', 'text_cfg', 'custom_text', 'init_logit_scale']);
const VISION_KEYS = new Set([
  'image_size',
  'layers',
  'width',
  'patch_size',
  'head_width',
  'mlp_ratio',
  'patch_dropout',
]);
const TEXT_KEYS = new Set(['context_length', 'vocab_size', 'width', 'heads', 'layers', 'mlp_ratio']);

/** Parses the object under `model_cfg`. Defaults are open_clip's (CLIPVisionCfg, CLIPTextCfg in model.py). */
export function parseOpenClipConfig(model: JsonFields, fileName: string): ClipConfig {
  const visionFields = model.object('vision_cfg');
  const textFields = model.object('text_cfg');
  if (!visionFields || !textFields) throw new InputError(`${fileName}: model_cfg should have vision_cfg and text_cfg`);
  refuseOthers(model, MODEL_KEYS, 'model_cfg', fileName);
  refuseOthers(visionFields, VISION_KEYS, 'vision_cfg', fileName);
  refuseOthers(textFields, TEXT_KEYS, 'text_cfg', fileName);

  const vision = { width: visionFields.number('width', 768), layers: visionFields.number('layers', 12) };
  const text = { width: textFields.number('width', 512), layers: textFields.number('layers', 12) };
  const config: ClipConfig = {
    projectionDim: model.number('embed_dim', 512),
    activation: model.boolean('quick_gelu', false) ? 'quick_gelu' : 'gelu',
    layerNormEpsilon: 1e-5,
    text: {
      ...text,
      heads: textFields.number('heads', 8),
      intermediate: Math.trunc(text.width * textFields.number('mlp_ratio', 4)),
      context: textFields.number('context_length', 77),
      vocabularySize: textFields.number('vocab_size', 49_408),
    },
    vision: {
      ...vision,
      heads: Math.trunc(vision.width / visionFields.number('head_width', 64)),
      intermediate: Math.trunc(vision.width * visionFields.number('mlp_ratio', 4)),
      imageSize: visionFields.number('image_size', 224),
      patchSize: visionFields.number('patch_size', 16),
    },
  };
  return checkConfig(config, fileName);
}

function refuseOthers(fields: JsonFields, known: ReadonlySet<string>, what: string, fileName: string): void {
  const other = fields.keys().find((key) => !known.has(key));
  if (other !== undefined) {
    throw new InputError(
      `${fileName}: ${what} has ${quoted(other)}, which a ViT CLIP with OpenAI's architecture does not have`,
    );
  }
}
