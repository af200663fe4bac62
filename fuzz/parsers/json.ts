/** The small JSON files beside weights: configurations of both kinds, how pictures are prepared, and the index of shards. */
import { parseShardIndex, shardFileNames } from '../../src/clip/checkpoint/shards.js';
import {
  clipTensors,
  configToJson,
  parseConfigJson,
  parsePreprocessing,
  preprocessorJson,
} from '../../src/clip/config.js';
import { clipPreprocessing, samePreprocessing } from '../../src/clip/image/index.js';
import { mutateJson } from '../mutate-json.js';
import { type FuzzedParser, fixture, MiB, maybeDamaged, utf8 } from '../parser.js';
import type { Random } from '../random.js';

const OPEN_CLIP = JSON.stringify({
  model_cfg: {
    embed_dim: 512,
    quick_gelu: true,
    vision_cfg: { image_size: 224, layers: 12, width: 768, patch_size: 32 },
    text_cfg: { context_length: 77, vocab_size: 49408, width: 512, heads: 8, layers: 12 },
  },
  preprocess_cfg: { mean: [0.48, 0.46, 0.41] },
});

const INDEX = JSON.stringify({
  metadata: { total_size: 1234 },
  weight_map: {
    logit_scale: 'model-00001-of-00002.safetensors',
    'visual_projection.weight': 'model-00002-of-00002.safetensors',
  },
});

/** Half changed as JSON, half as bytes. */
export function damagedJson(text: string, random: Random): Uint8Array {
  return random.oneIn(3) ? maybeDamaged(utf8(text), random) : utf8(mutateJson(text, random));
}

const decode = (input: Uint8Array) => new TextDecoder().decode(input);

export const config: FuzzedParser = {
  name: 'config',
  what: "config.json of Hugging Face's and of OpenCLIP's kind",
  make: (random) => damagedJson(random.oneIn(2) ? OPEN_CLIP : decode(fixture('clip-tiny/config.json')), random),
  async read(input) {
    const parsed = parseConfigJson(decode(input), 'config.json');
    clipTensors(parsed);
    parseConfigJson(configToJson(parsed), 'written config.json');
  },
  names: 'config.json',
  memory: (length) => 16 * MiB + 64 * length,
};

const OPENAI = preprocessorJson(clipPreprocessing(224));
const TIMM = JSON.stringify({ pretrained_cfg: { input_size: [3, 224, 224], crop_pct: 0.9, crop_mode: 'squash' } });

export const preprocessing: FuzzedParser = {
  name: 'preprocessing',
  what: "how a model wants its pictures: transformers', OpenCLIP's and timm's files",
  make: (random) => damagedJson(random.pick([OPENAI, OPEN_CLIP, TIMM]), random),
  async read(input) {
    const how = parsePreprocessing(decode(input), 'preprocessor_config.json', 224);
    const again = parsePreprocessing(preprocessorJson(how), 'written preprocessor_config.json', 224);
    if (!samePreprocessing(how, again)) throw new Error('read back otherwise');
  },
  names: 'preprocessor_config.json',
  memory: (length) => 16 * MiB + 64 * length,
};

export const index: FuzzedParser = {
  name: 'index',
  what: 'indices of shards (model.safetensors.index.json)',
  make: (random) => damagedJson(INDEX, random),
  async read(input) {
    parseShardIndex(decode(input), 'index.json');
    for (const name of shardFileNames(decode(input), 'index.json')) {
      if (/[/\\:\0]/.test(name) || name === '.' || name === '..')
        throw new Error(`a shard outside its folder: ${name}`);
    }
  },
  names: 'index.json',
  memory: (length) => 16 * MiB + 64 * length,
};
