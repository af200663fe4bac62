/**
 * OpenCLIP's `open_clip_config.json`, which its checkpoints on the Hugging Face hub come with (`model_cfg`; the same fields
 * as open_clip's src/open_clip/model_configs/*.json). A field that would change the architecture is refused by name, so
 * that a model that only looks like a ViT CLIP is not run as one.
 */
import { InputError } from '../../errors.js';
import { quoted } from '../checkpoint/quoted.js';
import { type ClipConfig, checkConfig } from './clip-config.js';
import type { JsonFields } from './json-fields.js';

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

/** `model` is the object under `model_cfg`. Defaults are open_clip's own (CLIPVisionCfg, CLIPTextCfg in model.py). */
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
