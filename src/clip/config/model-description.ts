/**
 * Reads a model's sizes, activation, special tokens and image preprocessing from the small files in its folder. Several programs write
 * such files; the precedence among them is decided here, for the command line, the library and the page.
 */
import { InputError } from '../../errors.js';
import { clipPreprocessing, type Preprocessing, samePreprocessing } from '../image/index.js';
import { type ClipConfig, firstDifference } from './clip-config.js';
import { parseConfigJson } from './config-json.js';
import { JsonFields } from './json-fields.js';
import { openClipPreprocessing, parsePreprocessorConfig, timmPreprocessing } from './preprocessing-json.js';

/** The files that are read, if they exist. */
export const DESCRIPTION_FILES = ['open_clip_config.json', 'config.json', 'preprocessor_config.json'] as const;

/** Name of a file that describes a model. */
export type DescriptionFile = (typeof DESCRIPTION_FILES)[number];

/** A model's configuration and preprocessing, and the files they come from. */
export interface ModelDescription {
  readonly config: ClipConfig;
  /** The file that the configuration comes from. */
  readonly configFile: DescriptionFile;
  readonly preprocessing: Preprocessing;
  /** The file that describes the preprocessing; undefined if none does, and that of OpenAI's models is used. */
  readonly preprocessingFile: DescriptionFile | undefined;
  /** Files that describe a different preprocessing and are ignored. */
  readonly otherwise: readonly DescriptionFile[];
}

/**
 * Describes the model from the text of its folder's files; undefined if there is no configuration. OpenCLIP's takes precedence over
 * `config.json`, which may be timm's and describe the image tower only. `where` returns a file's name for messages. Throws InputError
 * if the configuration is not a CLIP's, if two configurations disagree, and for preprocessing that cannot be reproduced exactly.
 */
export function describeModel(
  files: ReadonlyMap<string, string>,
  where: (file: string) => string = (file) => file,
): ModelDescription | undefined {
  const openClip = files.get('open_clip_config.json');
  const configJson = files.get('config.json');
  const configFile = openClip !== undefined ? 'open_clip_config.json' : 'config.json';
  const text = openClip ?? configJson;
  if (text === undefined) return undefined;
  let config = parseConfigJson(text, where(configFile));
  if (openClip !== undefined && configJson !== undefined && modelTypeOf(configJson, where('config.json')) === 'clip') {
    const other = parseConfigJson(configJson, where('config.json'));
    const difference = firstDifference(config, other);
    if (difference !== undefined) {
      throw new InputError(
        `${where('config.json')} and open_clip_config.json disagree about ${difference}; remove the one that is wrong`,
      );
    }
    config = { ...config, text: other.text };
  }
  return { config, configFile, ...preprocessingOf(files, config.vision.imageSize, where) };
}

function modelTypeOf(text: string, fileName: string): string {
  return JsonFields.parse(text, fileName).text('model_type', '');
}

/** From the first file that has it: OpenCLIP's (used in training), transformers' (possibly a copy of that), timm's. */
function preprocessingOf(
  files: ReadonlyMap<string, string>,
  size: number,
  where: (file: string) => string,
): Pick<ModelDescription, 'preprocessing' | 'preprocessingFile' | 'otherwise'> {
  const fieldsOf = (file: string, key: string): JsonFields | undefined => {
    const text = files.get(file);
    return text === undefined ? undefined : JsonFields.parse(text, where(file)).object(key);
  };
  const sources: [DescriptionFile, () => Preprocessing][] = [];
  for (const file of ['open_clip_config.json', 'config.json'] as const) {
    const fields = fieldsOf(file, 'preprocess_cfg');
    if (fields) sources.push([file, () => openClipPreprocessing(fields, where(file), size)]);
  }
  const transformers = files.get('preprocessor_config.json');
  if (transformers !== undefined) {
    const file = 'preprocessor_config.json';
    sources.push([file, () => parsePreprocessorConfig(transformers, where(file), size)]);
  }
  const timm = fieldsOf('config.json', 'pretrained_cfg');
  if (timm) sources.push(['config.json', () => timmPreprocessing(timm, where('config.json'), size, 'after')]);
  const [first, ...rest] = sources;
  if (!first) return { preprocessing: clipPreprocessing(size), preprocessingFile: undefined, otherwise: [] };
  const [preprocessingFile, read] = first;
  const preprocessing = read();
  const otherwise = rest.filter(([, readOther]) => !says(preprocessing, readOther)).map(([file]) => file);
  return { preprocessing, preprocessingFile, otherwise };
}

function says(expected: Preprocessing, read: () => Preprocessing): boolean {
  try {
    return samePreprocessing(read(), expected);
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}
