/** The whole job of `ptdpc convert`: any supported CLIP checkpoint into a model directory, for programs. */
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
import { requireNothingAt } from './atomic.js';
import { findCheckpoint, openCheckpointFiles, readDescription, readText } from './checkpoint-files.js';
import { type Events, SILENT } from './events.js';
import { requireSpace } from './make-folder.js';
import { readVocabulary, vocabularyIn } from './model-directory.js';
import { weightBytes, weightCount, writeModelDirectory } from './write-model-directory.js';

/** What a conversion needs to know besides the checkpoint and its destination. */
export interface ConversionOptions {
  /** Overrides the checkpoint's configuration. */
  readonly activation?: Activation;
  /** File that describes the image preprocessing. */
  readonly preprocessing?: string;
  /** File of the vocabulary. */
  readonly vocab?: string;
  /** Type of the stored weights. */
  readonly dtype: 'f16' | 'f32';
}

/** The result of a conversion. */
export interface Conversion {
  readonly config: ClipConfig;
  readonly preprocessing: Preprocessing;
  /** File of the vocabulary. */
  readonly vocabulary: string | undefined;
  /** Names of tensors that are not part of a CLIP and were left out. */
  readonly unused: readonly string[];
}

/**
 * Makes the model directory `out` from a checkpoint: a file, an index of shards or a folder. Throws InputError if it is not a CLIP, a setting is
 * missing, or `out` exists.
 */
export async function convertCheckpoint(
  path: string,
  out: string,
  options: ConversionOptions,
  events: Events = SILENT,
): Promise<Conversion> {
  const { activation, vocab, dtype } = options;
  await requireNothingAt(out);
  const { weights, directory } = await findCheckpoint(path);
  const { checkpoint, close } = await openCheckpointFiles(weights);
  try {
    const description = directory === undefined ? undefined : await readDescription(directory);
    const config = configOf(checkpoint, description?.config, activation, events);
    const { preprocessing, notes } = await preprocessingOf(checkpoint, config, description, options.preprocessing);
    const vocabulary = vocab ?? (directory === undefined ? undefined : await vocabularyIn(directory));
    const tokenizer = vocabulary === undefined ? undefined : await readVocabulary(vocabulary, config);
    const unused = unusedTensors(validateShapes(checkpoint, config), config);
    await requireSpace(out, weightBytes(config, dtype));
    {
      using bar = events.progress(weightBytes(config, dtype), 'converting', 'B');
      const parts = { checkpoint, config, preprocessing, tokenizer };
      await writeModelDirectory(out, parts, { dtype }, (bytes) => bar.tick(bytes));
    }
    for (const note of notes) events.say(note);
    if (unused.length > 0) events.say(`left out, not part of a CLIP: ${listed(unused)}`);
    if (!tokenizer)
      events.say('no vocabulary was given (--vocab): the model cannot encode texts until merges.txt is added');
    events.say(`${out}: ${(weightCount(config) / 1e6).toFixed(1)} M weights in ${dtype}, ${config.activation}`);
    return { config, preprocessing, vocabulary, unused };
  } finally {
    await close();
  }
}

/** The folder's configuration, or else one inferred from the tensors; the option overrides both. */
function configOf(
  checkpoint: Checkpoint,
  config: ClipConfig | undefined,
  activation: Activation | undefined,
  events: Events,
): ClipConfig {
  if (!config) return inferConfig(checkpoint, { activation });
  if (activation === undefined || activation === config.activation) return config;
  events.say(`the checkpoint's configuration says ${config.activation}; written as ${activation}, as requested`);
  return { ...config, activation };
}

/** From the given file, the folder's files, or else OpenAI's defaults; with notes for the user. */
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
      "no file describes this model's image preprocessing, so OpenAI's is used (--preprocessing gives a file)",
    );
  }
  if (!samePreprocessing(preprocessing, usual))
    notes.push(`image preprocessing: ${describePreprocessing(preprocessing)}`);
  if (otherwise.length > 0)
    notes.push(`image preprocessing from ${preprocessingFile}; ${otherwise.join(' and ')} differs`);
  return { preprocessing, notes };
}

/** The first few names, and how many more there are. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).map(printable).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
