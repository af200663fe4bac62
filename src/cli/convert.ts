/** `ptdpc convert`: any supported CLIP checkpoint into a model directory. */
import { type Command, Option } from 'commander';
import type { Checkpoint } from '../clip/checkpoint/index.js';
import {
  type Activation,
  type ClipConfig,
  inferConfig,
  isOpenAiArchive,
  type ModelDescription,
  parsePreprocessing,
  unusedTensors,
  validateShapes,
} from '../clip/config.js';
import {
  clipPreprocessing,
  describePreprocessing,
  type Preprocessing,
  samePreprocessing,
} from '../clip/image/index.js';
import { printable } from '../errors.js';
import { requireNothingAt } from '../node/atomic.js';
import { findCheckpoint, openCheckpointFiles, readDescription, readText } from '../node/checkpoint-files.js';
import { requireSpace } from '../node/make-folder.js';
import { readVocabulary, vocabularyIn } from '../node/model-directory.js';
import { weightBytes, weightCount, writeModelDirectory } from '../node/write-model-directory.js';
import { nothingWritten } from './interruption.js';
import { addExamples, jsonOption } from './options.js';
import { printJson, say } from './output.js';
import { progress } from './progress.js';

/** What `addConversionOptions` leaves in a command's options. */
export interface ConversionOptions {
  activation?: Activation;
  preprocessing?: string;
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
        "archive, or a folder from the Hugging Face hub, with Hugging Face's, OpenAI's or OpenCLIP's names. " +
        'Nothing in it is executed. Sizes come from its config.json or open_clip_config.json, or else from the tensors; ' +
        "image preprocessing from --preprocessing, a file beside the checkpoint, or else OpenAI's defaults; the " +
        'vocabulary from --vocab, or a merges.txt or tokenizer.json beside the checkpoint.',
    )
    .argument('<checkpoint>', 'file or folder')
    .requiredOption('--out <dir>', 'model directory to create');
  addConversionOptions(command)
    .addOption(jsonOption())
    .action(async (path: string, options: Options) => {
      const { config, preprocessing, vocabulary, unused } = await convertCheckpoint(path, options.out, options);
      const { out, dtype } = options;
      if (!options.json) return;
      const weights = weightCount(config);
      printJson({ out, dtype, weights, vocabulary: vocabulary ?? null, config, preprocessing, unused });
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

/** What was made of a checkpoint. */
export interface Conversion {
  readonly config: ClipConfig;
  readonly preprocessing: Preprocessing;
  /** Where the vocabulary came from. */
  readonly vocabulary: string | undefined;
  /** Names of tensors that are no part of a CLIP, and were left out. */
  readonly unused: readonly string[];
}

/** Converts, and says what was made of it. */
export async function convertCheckpoint(path: string, out: string, options: ConversionOptions): Promise<Conversion> {
  const { activation, vocab, dtype } = options;
  await requireNothingAt(out);
  using _nothing = nothingWritten();
  const { weights, directory } = await findCheckpoint(path);
  const { checkpoint, close } = await openCheckpointFiles(weights);
  try {
    const description = directory === undefined ? undefined : await readDescription(directory);
    const config = configOf(checkpoint, description?.config, activation);
    const { preprocessing, notes } = await preprocessingOf(checkpoint, config, description, options.preprocessing);
    const vocabulary = vocab ?? (directory === undefined ? undefined : await vocabularyIn(directory));
    const tokenizer = vocabulary === undefined ? undefined : await readVocabulary(vocabulary, config);
    const unused = unusedTensors(validateShapes(checkpoint, config), config);
    await requireSpace(out, weightBytes(config, dtype));
    {
      using bar = progress(weightBytes(config, dtype), 'converting', 'B');
      const parts = { checkpoint, config, preprocessing, tokenizer };
      await writeModelDirectory(out, parts, { dtype }, (bytes) => bar.tick(bytes));
    }
    for (const note of notes) say(note);
    if (unused.length > 0) say(`left out, no part of a CLIP: ${listed(unused)}`);
    if (!tokenizer)
      say('no vocabulary was given (--vocab), so this model cannot read texts until merges.txt is put there');
    say(`${out}: ${(weightCount(config) / 1e6).toFixed(1)} M weights in ${dtype}, ${config.activation}`);
    return { config, preprocessing, vocabulary, unused };
  } finally {
    await close();
  }
}

/** From the folder's configuration where the checkpoint has one, else from the tensors; the option wins over both. */
function configOf(
  checkpoint: Checkpoint,
  config: ClipConfig | undefined,
  activation: Activation | undefined,
): ClipConfig {
  if (!config) return inferConfig(checkpoint, { activation });
  if (activation === undefined || activation === config.activation) return config;
  say(`the checkpoint's configuration says ${config.activation}; written as ${activation}, as asked for`);
  return { ...config, activation };
}

/** From the file that was given, else from the folder's files, else as OpenAI has it; and what is worth saying of it. */
async function preprocessingOf(
  checkpoint: Checkpoint,
  config: ClipConfig,
  description: ModelDescription | undefined,
  file: string | undefined,
): Promise<{ preprocessing: Preprocessing; notes: string[] }> {
  const { imageSize } = config.vision;
  if (file !== undefined)
    return { preprocessing: parsePreprocessing(await readText(file), file, imageSize), notes: [] };
  const usual = clipPreprocessing(imageSize);
  const { preprocessing = usual, preprocessingFile, otherwise = [] } = description ?? {};
  const notes: string[] = [];
  if (preprocessingFile === undefined && !isOpenAiArchive(checkpoint)) {
    notes.push(
      'nothing says how this model wants its pictures; taken as OpenAI has them (--preprocessing gives a file)',
    );
  }
  if (!samePreprocessing(preprocessing, usual)) notes.push(`pictures: ${describePreprocessing(preprocessing)}`);
  if (otherwise.length > 0)
    notes.push(`pictures: as ${preprocessingFile} says; ${otherwise.join(' and ')} says otherwise`);
  return { preprocessing, notes };
}

/** The first few names, and how many more there are. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).map(printable).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
