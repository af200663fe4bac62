import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../src/clip/checkpoint/byte-source.js';
import { openCheckpoint } from '../../src/clip/checkpoint/open-checkpoint.js';
import {
  type ClipConfig,
  clipTensors,
  configToJson,
  inferConfig,
  parseConfigJson,
  unusedTensors,
  validateShapes,
} from '../../src/clip/config.js';
import { expectInputError, fixtureBytes, openFixture, safetensorsOf } from './checkpoint/support.js';

const TINY: ClipConfig = {
  projectionDim: 64,
  activation: 'quick_gelu',
  layerNormEpsilon: 1e-5,
  text: { width: 64, layers: 2, heads: 1, intermediate: 256, context: 77, vocabularySize: 1000 },
  vision: { width: 128, layers: 2, heads: 2, intermediate: 512, imageSize: 32, patchSize: 8 },
};
const VIT_B_32: ClipConfig = {
  projectionDim: 512,
  activation: 'quick_gelu',
  layerNormEpsilon: 1e-5,
  text: { width: 512, layers: 12, heads: 8, intermediate: 2048, context: 77, vocabularySize: 49_408 },
  vision: { width: 768, layers: 12, heads: 12, intermediate: 3072, imageSize: 224, patchSize: 32 },
};
const parse = (json: unknown) =>
  parseConfigJson(typeof json === 'string' ? json : JSON.stringify(json), 'm/config.json');

/** A checkpoint with the shapes of `config` and no data. */
function shapesOf(config: ClipConfig) {
  const shapes = new Map(clipTensors(config).map(({ name, shape }) => [name, shape]));
  return {
    name: 'model.pt',
    format: 'torch' as const,
    metadata: new Map(),
    names: () => [...shapes.keys()],
    has: (name: string) => shapes.has(name),
    shape: (name: string) => shapes.get(name)!,
    dtype: () => 'F32' as const,
    read: async () => new Float32Array(0),
  };
}

describe('config.json', () => {
  test('the tiny models', () => {
    const read = (file: string) => parse(new TextDecoder().decode(fixtureBytes(file)));
    expect(read('clip-tiny/config.json')).toEqual(TINY);
    expect(read('clip-tiny-gelu/config.json')).toEqual({ ...TINY, activation: 'gelu' });
  });

  test('what is left out, or null, is as in ViT-B/32', () => {
    expect(parse({ model_type: 'clip' })).toEqual(VIT_B_32);
    expect(parse({ model_type: 'clip', text_config: {}, vision_config: null, projection_dim: null })).toEqual(VIT_B_32);
    expect(parse({ vision_config: { patch_size: 16 } }).vision.patchSize).toBe(16);
  });

  test("ids of start and end, but not OpenAI's 0 and 2, which are no ids of the vocabulary", () => {
    const ids = (text_config: object) => {
      const { sot, eot } = parse({ model_type: 'clip', text_config }).text;
      return [sot, eot];
    };
    expect(ids({ bos_token_id: 0, eos_token_id: 2 })).toEqual([undefined, undefined]);
    expect(ids({ bos_token_id: 49_406, eos_token_id: 49_407 })).toEqual([49_406, 49_407]);
    const text = configToJson({ ...TINY, text: { ...TINY.text, sot: 512, eot: 513 } });
    expect(JSON.parse(text).text_config).toMatchObject({ bos_token_id: 512, eos_token_id: 513 });
  });

  test('the older *_config_dict wins over *_config, defaults included, as in transformers', () => {
    const config = parse({
      text_config: { num_hidden_layers: 3, num_attention_heads: 4 },
      text_config_dict: { num_hidden_layers: 5 },
      vision_config: { num_hidden_layers: 7 },
      vision_config_dict: null,
    });
    expect([config.text.layers, config.text.heads, config.vision.layers]).toEqual([5, 8, 7]);
  });

  test('written and read back, for transformers too', () => {
    for (const config of [TINY, VIT_B_32, { ...TINY, activation: 'gelu' as const, layerNormEpsilon: 1e-6 }]) {
      const text = configToJson(config);
      expect(parse(text)).toEqual(config);
      const json = JSON.parse(text);
      expect(json.architectures).toEqual(['CLIPModel']);
      expect(json.model_type).toBe('clip');
      expect(json.text_config.eos_token_id).toBe(2);
      expect(json.text_config.projection_dim).toBe(config.projectionDim);
      expect(json.vision_config.num_channels).toBe(3);
    }
  });

  test.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /not valid JSON/],
    ['no object', [], /JSON object/],
    ['another model', { model_type: 'siglip' }, /model_type.*"siglip"/],
    [
      'another activation',
      { text_config: { hidden_act: 'relu' }, vision_config: { hidden_act: 'relu' } },
      /hidden_act.*"relu"/,
    ],
    ['two activations', { vision_config: { hidden_act: 'gelu' } }, /hidden_act.*"quick_gelu".*"gelu"/],
    ['two epsilons', { vision_config: { layer_norm_eps: 1e-6 } }, /layer_norm_eps/],
    ['text for a number', { text_config: { hidden_size: '512' } }, /text_config: hidden_size.*"512"/],
    ['a tower that is a list', { text_config: [] }, /text_config should be an object/],
    ['no layers', { vision_config: { num_hidden_layers: 0 } }, /vision layers.*0/],
    ['billions of layers', { vision_config: { num_hidden_layers: 1e15 } }, /vision layers/],
    ['half a head', { text_config: { num_attention_heads: 1.5 } }, /text heads.*1.5/],
    ['heads that do not divide the width', { text_config: { num_attention_heads: 7 } }, /512 does not divide into 7/],
    ['patches that do not divide the image', { vision_config: { patch_size: 30 } }, /224.*30/],
    ['a patch larger than the image', { vision_config: { patch_size: 225 } }, /patch size.*225/],
    ['grey images', { vision_config: { num_channels: 1 } }, /num_channels.*1/],
    [
      'heads of 256 columns',
      { text_config: { num_attention_heads: 2 } },
      /2 text heads of 256 columns each; expected heads of at most 128 columns/,
    ],
    [
      'a joint width other than the text width',
      { projection_dim: 768 },
      /text width 512 differs from the joint width 768/,
    ],
    ['no epsilon', { text_config: { layer_norm_eps: 0 }, vision_config: { layer_norm_eps: 0 } }, /epsilon.*0/],
  ])('%s is refused', async (_, json, pattern) => {
    await expectInputError(() => parse(json), /^m\/config\.json: /, pattern);
  });
});

describe('open_clip_config.json', () => {
  const cfg = (model: object) => ({
    model_cfg: { embed_dim: 512, vision_cfg: {}, text_cfg: {}, ...model },
    preprocess_cfg: {},
  });

  test('ViT-B/32 with either activation, and the odd head width of ViT-bigG', () => {
    const b32 = {
      vision_cfg: { image_size: 224, layers: 12, width: 768, patch_size: 32 },
      text_cfg: { context_length: 77, vocab_size: 49408, width: 512, heads: 8, layers: 12 },
    };
    expect(parse(cfg(b32))).toEqual({ ...VIT_B_32, activation: 'gelu' });
    expect(parse(cfg({ ...b32, quick_gelu: true, custom_text: true }))).toEqual(VIT_B_32);
    const bigG = parse(
      cfg({
        embed_dim: 1280,
        vision_cfg: { image_size: 224, layers: 48, width: 1664, head_width: 104, mlp_ratio: 4.9231, patch_size: 14 },
        text_cfg: { width: 1280, heads: 20, layers: 32 },
      }),
    );
    expect([bigG.vision.heads, bigG.vision.intermediate, bigG.text.intermediate]).toEqual([16, 8192, 5120]);
  });

  test.each<[string, object, RegExp]>([
    ['timm tower', { vision_cfg: { timm_model_name: 'x' } }, /vision_cfg.*"timm_model_name"/],
    ['Hugging Face text tower', { text_cfg: { hf_model_name: 'x' } }, /text_cfg.*"hf_model_name"/],
    ['attentional pooling', { vision_cfg: { attentional_pool: true } }, /"attentional_pool"/],
    ['SigLIP', { init_logit_bias: -10 }, /model_cfg.*"init_logit_bias"/],
    ['no vision tower', { vision_cfg: null }, /vision_cfg and text_cfg/],
  ])('%s is refused', async (_, model, pattern) => {
    await expectInputError(() => parse(cfg(model)), /^m\/config\.json: /, pattern);
  });
});

describe('inference from tensors', () => {
  test('every format of the tiny model', async () => {
    for (const file of ['model.safetensors', 'open_clip_model.safetensors', 'pytorch_model.bin', 'state_dict_f16.pt']) {
      expect(inferConfig(await openFixture(`clip-tiny/${file}`), { activation: 'quick_gelu' })).toEqual(TINY);
    }
    expect(inferConfig(await openFixture('clip-tiny-gelu/model.safetensors'), { activation: 'gelu' })).toEqual({
      ...TINY,
      activation: 'gelu',
    });
  });

  test("the activation is needed, except for OpenAI's own archives, where it may still be given", async () => {
    for (const file of ['model.safetensors', 'open_clip_model.safetensors', 'pytorch_model.bin', 'state_dict_f16.pt']) {
      const checkpoint = await openFixture(`clip-tiny/${file}`);
      await expectInputError(() => inferConfig(checkpoint), file, /--activation quick_gelu .*--activation gelu/);
    }
    const archive = await openFixture('clip-tiny/openai_torchscript.pt');
    expect(inferConfig(archive)).toEqual(TINY);
    expect(inferConfig(archive, { activation: 'gelu' }).activation).toBe('gelu');
  });

  test('published sizes, with the head widths that differ from 64', () => {
    const l14 = {
      ...VIT_B_32,
      projectionDim: 768,
      text: { ...VIT_B_32.text, width: 768, heads: 12, intermediate: 3072 },
      vision: { width: 1024, layers: 24, heads: 16, intermediate: 4096, imageSize: 336, patchSize: 14 },
    };
    const h14 = {
      ...VIT_B_32,
      projectionDim: 1024,
      text: { ...VIT_B_32.text, width: 1024, layers: 24, heads: 16, intermediate: 4096 },
      vision: { width: 1280, layers: 32, heads: 16, intermediate: 5120, imageSize: 224, patchSize: 14 },
    };
    for (const config of [VIT_B_32, l14, h14])
      expect(inferConfig(shapesOf(config), { activation: 'quick_gelu' })).toEqual(config);
  });

  test.each<[string, ClipConfig, RegExp]>([
    [
      'a joint width other than the text width',
      { ...TINY, projectionDim: 32 },
      /text width 64 differs from the joint width 32/,
    ],
    [
      'a width without whole heads',
      { ...TINY, vision: { ...TINY.vision, width: 100 } },
      /vision_model width 100 is not a multiple of 64/,
    ],
  ])('%s is refused', async (_, config, pattern) => {
    await expectInputError(() => inferConfig(shapesOf(config), { activation: 'gelu' }), /^model\.pt: /, pattern);
  });

  test('what is no CLIP, or one with a ResNet, is named as such', async () => {
    await expectInputError(
      openFixture('checkpoint/views.pt').then((checkpoint) => inferConfig(checkpoint, { activation: 'gelu' })),
      /^checkpoint\/views\.pt: not a CLIP checkpoint.*"vision_model\.embeddings\.patch_embedding\.weight" is missing/,
    );
    const bytes = await safetensorsOf({ 'visual.layer1.0.conv1.weight': { shape: [1], values: [0] } });
    const resnet = await openCheckpoint(bytesSource('RN50.pt', bytes));
    await expectInputError(() => inferConfig(resnet, { activation: 'gelu' }), /^RN50\.pt: a CLIP with a ResNet/);
    const grid = shapesOf(TINY);
    const odd = {
      ...grid,
      shape: (name: string) => (name.includes('vision_model.embeddings.position') ? [16, 128] : grid.shape(name)),
    };
    await expectInputError(() => inferConfig(odd, { activation: 'gelu' }), /16 image positions/);
    const flat = { ...grid, shape: (name: string) => (name.includes('patch') ? [128] : grid.shape(name)) };
    await expectInputError(
      () => inferConfig(flat, { activation: 'gelu' }),
      /patch_embedding\.weight" should have 4 dimensions/,
    );
  });
});

describe('shapes against the configuration', () => {
  const mismatch = (config: ClipConfig) => () => validateShapes(shapesOf(TINY), config);

  test('a checkpoint that fits', () => {
    expect(validateShapes(shapesOf(TINY), TINY).names()).toHaveLength(78);
  });

  test('the first tensor that differs is named, with both shapes', async () => {
    const { vision } = TINY;
    await expectInputError(
      mismatch({ ...TINY, vision: { ...vision, imageSize: 40 } }),
      /^model\.pt: tensor "vision_model\.embeddings\.position_embedding\.weight" should have shape \[26, 128\], found \[17, 128\]/,
    );
    await expectInputError(
      mismatch({ ...TINY, vision: { ...vision, layers: 3 } }),
      /"vision_model\.encoder\.layers\.2\.layer_norm1\.weight" \[128\] is missing/,
    );
    await expectInputError(
      mismatch({ ...TINY, vision: { ...vision, layers: 1 } }),
      /"vision_model\.encoder\.layers\.1\..*not part of/,
    );
  });

  test('the stored name is given where it is another one', async () => {
    const checkpoint = await openFixture('clip-tiny/open_clip_model.safetensors');
    const config = { ...TINY, projectionDim: 32 };
    await expectInputError(
      () => validateShapes(checkpoint, config),
      /"visual_projection\.weight" \(stored as "visual\.proj"\) should have shape \[32, 128\], found \[64, 128\]/,
    );
  });

  test('weights in its own parts that we would not use are refused, others named', async () => {
    const extra = (name: string) => {
      const base = shapesOf(TINY);
      return {
        ...base,
        names: () => [...base.names(), name],
        shape: (tensor: string) => (tensor === name ? [1] : base.shape(tensor)),
      };
    };
    await expectInputError(
      () => validateShapes(extra('visual.transformer.resblocks.0.ls_1.gamma'), TINY),
      /"visual\.transformer\.resblocks\.0\.ls_1\.gamma"/,
    );
    await expectInputError(() => validateShapes(extra('text_model.encoder.layers.0.lora.weight'), TINY), /lora/);
    for (const name of [
      'text_projection.bias',
      'positional_embedding_res',
      'visual_projection.bias',
      'logit_scale_2',
    ]) {
      await expectInputError(() => validateShapes(extra(name), TINY), `"${name}" is not part of a ViT CLIP`);
    }
    for (const name of ['classifier.weight', 'logit_bias', 'prompt_learner.ctx']) {
      expect(unusedTensors(validateShapes(extra(name), TINY), TINY)).toEqual([name]);
    }
    expect(unusedTensors(validateShapes(extra('text_model.embeddings.position_ids'), TINY), TINY)).toEqual([]);
    expect(validateShapes(extra('text.attn_mask'), TINY).has('text.attn_mask')).toBe(false);
  });

  test('integers are no weights', async () => {
    const base = shapesOf(TINY);
    await expectInputError(
      () => validateShapes({ ...base, dtype: () => 'I8' as const }, TINY),
      /"logit_scale" should be in floating point, found I8/,
    );
  });
});
