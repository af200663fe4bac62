/** `ptdpc convert`: any supported CLIP checkpoint into a model directory. */
import { type Command, Option } from 'commander';
import { InputError } from '../errors.js';
import type { ConversionOptions } from '../node/convert-checkpoint.js';
import { addExamples, jsonOption } from './options.js';
import { printJson } from './output.js';
import { TERMINAL } from './progress.js';

interface Options extends ConversionOptions {
  out: string;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      'Make a model directory (config.json, model.safetensors, merges.txt, vocab.json) that ptdpc and other CLIP ' +
        "software load. The checkpoint is a safetensors or PyTorch file, an index of shards, OpenAI's TorchScript " +
        "archive, or a folder from the Hugging Face hub, with Hugging Face's, OpenAI's or OpenCLIP's names. " +
        'Nothing in it is executed. Sizes come from its config.json or open_clip_config.json, or else from the tensors; ' +
        "image preprocessing from --preprocessing, a file beside the checkpoint, or else OpenAI's defaults; the " +
        'vocabulary from --vocab, or a merges.txt or tokenizer.json beside the checkpoint. The checkpoint of another image encoder ' +
        '(AlexNet, VGG, ResNet, DeiT, BEiT) becomes a folder with its tensors, without its classifier, and its preprocessing.',
    )
    .argument('<checkpoint>', 'file or folder')
    .requiredOption('--out <dir>', 'model directory to create');
  addConversionOptions(command)
    .addOption(jsonOption())
    .action(async (path: string, options: Options) => {
      const { isEncoderAt } = await import('../node/image-encoder.js');
      if (await isEncoderAt(path)) return await convertOther(path, options);
      const { convertCheckpoint } = await import('../node/convert-checkpoint.js');
      const { weightCount } = await import('../node/write-model-directory.js');
      const { out, dtype } = options;
      const { config, preprocessing, vocabulary, unused } = await convertCheckpoint(path, out, options, TERMINAL);
      if (!options.json) return;
      const weights = weightCount(config);
      printJson({ out, dtype, weights, vocabulary: vocabulary ?? null, config, preprocessing, unused });
    });
  addExamples(command, [
    ['ptdpc convert ViT-B-32.pt --vocab bpe_simple_vocab_16e6.txt.gz --out clip-b32', "OpenAI's own file"],
    ['ptdpc convert open_clip.bin --activation gelu --vocab merges.txt --out clip-laion', "OpenCLIP's state_dict"],
    ['ptdpc convert vgg16-397923af.pth --out vgg16 --dtype f16', "another encoder, at a quarter of the file's size"],
    ['ptdpc convert clip-vit-large-patch14/ --out clip-l14 --dtype f16', 'a Hugging Face folder, at half the size'],
  ]);
}

/** Another encoder than a CLIP. */
async function convertOther(path: string, options: Options): Promise<void> {
  const { convertEncoder } = await import('../node/convert-encoder.js');
  const { out, dtype, vocab, activation } = options;
  for (const [name, value] of Object.entries({ vocab, activation }))
    if (value !== undefined) throw new InputError(`--${name}: ${path} is not a CLIP, so it has none; leave it out`);
  const found = await convertEncoder(path, out, options, TERMINAL);
  if (options.json) printJson({ out, dtype, ...found });
}

/** Adds what a conversion needs to know besides the checkpoint and its destination. */
export function addConversionOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--activation <name>',
        "the checkpoint's activation, if it does not record it: quick_gelu in OpenAI's, gelu in most of OpenCLIP",
      ).choices(['quick_gelu', 'gelu']),
    )
    .option(
      '--preprocessing <file>',
      'image preprocessing of the model: a preprocessor_config.json, open_clip_config.json or config.json of timm',
    )
    .option('--vocab <file>', 'vocabulary: merges.txt, tokenizer.json or bpe_simple_vocab_16e6.txt.gz')
    .addOption(new Option('--dtype <type>', 'type of the stored weights').choices(['f32', 'f16']).default('f32'));
}
