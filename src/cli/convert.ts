/** `ptdpc convert`: any supported CLIP checkpoint into a model directory. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { Checkpoint } from '../clip/checkpoint/index.js';
import { type Activation, type ClipConfig, inferConfig } from '../clip/config.js';
import { requireNothingAt } from '../node/atomic.js';
import { exists, findCheckpoint, openCheckpointFiles, readConfig } from '../node/checkpoint-files.js';
import { requireSpace } from '../node/make-folder.js';
import { readVocabulary } from '../node/model-directory.js';
import { weightBytes, weightCount, writeModelDirectory } from '../node/write-model-directory.js';
import { nothingWritten } from './interruption.js';
import { addExamples, jsonOption } from './options.js';
import { printJson, say } from './output.js';
import { progress } from './progress.js';

/** What `addConversionOptions` leaves in a command's options. */
export interface ConversionOptions {
  activation?: Activation;
  vocab?: string;
  dtype: 'f16' | 'f32';
}

interface Options extends ConversionOptions {
  out: string;
  json?: boolean;
}

export function configure(command: Command): void {
  command
    .description(
      'Make a model directory (config.json, model.safetensors, merges.txt, vocab.json) that ptdpc and other CLIP ' +
        "software load. The checkpoint is a safetensors or PyTorch file, an index of shards, OpenAI's TorchScript " +
        "archive, or a folder from the Hugging Face hub, under Hugging Face's, OpenAI's or OpenCLIP's names. " +
        'Nothing in it is executed. Sizes come from its config.json where it has one, else from the tensors. The ' +
        'vocabulary comes from --vocab, else from a merges.txt beside the checkpoint.',
    )
    .argument('<checkpoint>', 'file or folder')
    .requiredOption('--out <dir>', 'model directory to create');
  addConversionOptions(command)
    .addOption(jsonOption())
    .action(async (path: string, options: Options) => {
      const { config, vocabulary } = await convertCheckpoint(path, options.out, options);
      const { out, dtype } = options;
      if (!options.json) return;
      printJson({ out, dtype, weights: weightCount(config), vocabulary: vocabulary ?? null, config });
    });
  addExamples(command, [
    ['ptdpc convert ViT-B-32.pt --vocab bpe_simple_vocab_16e6.txt.gz --out clip-b32', "OpenAI's own file"],
    ['ptdpc convert open_clip.bin --activation gelu --vocab merges.txt --out clip-laion', "OpenCLIP's state_dict"],
    ['ptdpc convert clip-vit-large-patch14/ --out clip-l14 --dtype f16', 'a Hugging Face folder, at half the size'],
  ]);
}

/** Adds what a conversion needs to know besides the checkpoint and its destination. */
export function addConversionOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--activation <name>',
        'where the checkpoint does not say: OpenAI has quick_gelu, much of OpenCLIP gelu',
      ).choices(['quick_gelu', 'gelu']),
    )
    .option('--vocab <file>', 'vocabulary: merges.txt or bpe_simple_vocab_16e6.txt.gz')
    .addOption(new Option('--dtype <type>', 'type of the stored weights').choices(['f32', 'f16']).default('f32'));
}

/** Converts, and says what was made of it. Returns what the model is, and where its vocabulary came from. */
export async function convertCheckpoint(
  path: string,
  out: string,
  { activation, vocab, dtype }: ConversionOptions,
): Promise<{ config: ClipConfig; vocabulary: string | undefined }> {
  await requireNothingAt(out);
  using _nothing = nothingWritten();
  const { weights, directory } = await findCheckpoint(path);
  const { checkpoint, close } = await openCheckpointFiles(weights);
  try {
    const config = await configOf(checkpoint, directory, activation);
    const vocabulary = vocab ?? (await vocabularyBeside(directory));
    const tokenizer = vocabulary === undefined ? undefined : await readVocabulary(vocabulary, config);
    await requireSpace(out, weightBytes(config, dtype));
    {
      using bar = progress(weightBytes(config, dtype), 'converting', 'B');
      await writeModelDirectory(out, { checkpoint, config, tokenizer }, { dtype }, (bytes) => bar.tick(bytes));
    }
    if (!tokenizer)
      say('no vocabulary was given (--vocab), so this model cannot read texts until merges.txt is put there');
    say(`${out}: ${(weightCount(config) / 1e6).toFixed(1)} M weights in ${dtype}, ${config.activation}`);
    return { config, vocabulary };
  } finally {
    await close();
  }
}

/** From config.json where the checkpoint has one, else from the tensors; the option wins over both. */
async function configOf(
  checkpoint: Checkpoint,
  directory: string | undefined,
  activation: Activation | undefined,
): Promise<ClipConfig> {
  const config = directory === undefined ? undefined : await readConfig(directory);
  if (!config) return inferConfig(checkpoint, { activation });
  if (activation === undefined || activation === config.activation) return config;
  say(`the checkpoint's configuration says ${config.activation}; written as ${activation}, as asked for`);
  return { ...config, activation };
}

async function vocabularyBeside(directory: string | undefined): Promise<string | undefined> {
  if (directory === undefined) return undefined;
  const path = join(directory, 'merges.txt');
  return (await exists(path)) ? path : undefined;
}
