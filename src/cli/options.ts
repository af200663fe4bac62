/** Options that several commands share, the flags of described options (`TUNING_FIELDS`), and parsers that name what they expect. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import * as v from 'valibot';
import { TRUNCATED_CHOICES } from '../clip/image/decoded-image.js';
import type { TruncatedImages } from '../clip/image/index.js';
import { DEVICE_CHOICES, type DeviceChoice } from '../kernels/device-choice.js';
import { defaultCacheDirectory } from '../node/package.js';
import { PAPER_LEARNING_RATES } from '../ptdpc/experiment/paper-tables.js';
import { type OptionField, type OptionsOf, optionText, PREPROCESS_CHOICES, TUNING_FIELDS } from '../ptdpc/options.js';

const UNITS: ReadonlyMap<string, number> = new Map([
  ['b', 1],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['tb', 1e12],
  ['kib', 2 ** 10],
  ['mib', 2 ** 20],
  ['gib', 2 ** 30],
  ['tib', 2 ** 40],
]);

/** `512MiB`, `1.5 GB`, `1000000B`: a size in bytes. */
export function parseBytes(text: string): number {
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  if (unit === '')
    throw new InvalidArgumentError(`Expected a size with its unit: ${digits}MiB, or ${digits}B for bytes.`);
  const scale = UNITS.get(unit?.toLowerCase() ?? '?');
  const bytes = Math.floor(Number(digits) * (scale ?? Number.NaN));
  if (!(bytes > 0 && bytes <= Number.MAX_SAFE_INTEGER)) {
    throw new InvalidArgumentError('Expected a size such as 512MiB or 1GiB.');
  }
  return bytes;
}

/** A whole number from `least` (1 unless given) on. */
export function parseInteger(least = 1, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(`Expected a whole number ${range}.`);
    }
    return value;
  };
}

/** A number above 0. */
export function parsePositive(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

/** A cosine. */
export function parseSimilarity(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= -1 && value <= 1)) throw new InvalidArgumentError('Expected a number from -1 to 1.');
  return value;
}

/** Seeds of data sets; as wide as those of trainings. */
export const parseSeed = parseInteger(0, 2 ** 32 - 1);

/** The text of an option as `field` describes it: as it is, or as the number that it writes. Throws InvalidArgumentError for others. */
export function parseField<T>(field: OptionField<T>, text: string): T {
  let expected = '';
  for (const value of [text, /^\s*[+-]?[\d.]+(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : Number.NaN]) {
    const { success, output, issues } = v.safeParse(field, value, { abortEarly: true });
    if (success) return output;
    expected ||= issues[0].message;
  }
  throw new InvalidArgumentError(`Expected ${expected}.`);
}

/** The flag of an option. `standard`: what holds without it, for the help. */
export function fieldOption(field: OptionField, standard?: unknown): Option {
  const { flag, help } = optionText(field);
  const option = new Option(flag, standard === undefined ? help : `${help} (default: ${standard})`);
  if (field.type === 'picklist') return option.choices((field as unknown as { options: readonly string[] }).options);
  return option.argParser((text) => parseField(field, text));
}

type Fields = Readonly<Record<string, OptionField>>;

/** Adds the flags of all `fields`; of a switch also the negative one. `standard`: see `fieldOption`. */
export function addFields(command: Command, fields: Fields, standard: Readonly<Record<string, unknown>> = {}): Command {
  for (const [name, field] of Object.entries(fields)) {
    if (field.type === 'boolean') {
      const { flag, help } = optionText(field);
      const usual = standard[name];
      const text = typeof usual === 'string' ? `${help} (default: ${usual})` : help;
      command.option(flag, text).option(flag.replace('--', '--no-'), `the opposite of ${flag}`);
    } else command.addOption(fieldOption(field, standard[name]));
  }
  return command;
}

/** Those of `fields` that the command line gives, by their names there. */
export function givenFields<F extends Fields>(fields: F, command: Readonly<object>): Partial<OptionsOf<F>> {
  const given = Object.entries(fields).map(([name, field]) => [
    name,
    Reflect.get(command, new Option(optionText(field).flag).attributeName()) as unknown,
  ]);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined)) as Partial<OptionsOf<F>>;
}

/** `--lr`, which may be `auto`: chosen by validation. */
export function rateOption(help = 'by validation'): Option {
  const { flag } = optionText(TUNING_FIELDS.learningRate);
  return new Option(flag, `learning rate, or auto: the best of ${PAPER_LEARNING_RATES.join(', ')} ${help}`).argParser(
    (text) => parseField(RATE, text),
  );
}

const RATE = v.custom<'auto' | number>(
  (rate) => rate === 'auto' || v.is(TUNING_FIELDS.learningRate, rate),
  'auto or a number above 0',
);

export const modelOption = () =>
  new Option('--model <dir>', 'model directory (config.json, model.safetensors, merges.txt)').makeOptionMandatory();

export const runOption = () =>
  new Option(
    '--run <run>',
    'folder of the run, or a prompts.safetensors on its own (with --model)',
  ).makeOptionMandatory();

export const deviceOption = () =>
  new Option('--device <device>', 'auto takes a hardware GPU if there is one, else the CPU')
    .choices(DEVICE_CHOICES)
    .default('auto');

export const memoryOption = () =>
  new Option('--memory <size>', 'working memory besides the weights, e.g. 512MiB')
    .argParser(parseBytes)
    .default(2 ** 30, '1GiB');

export const jsonOption = () => new Option('--json', 'print the result as JSON');

/** `--preprocess` of an encoder. */
export const preprocessOption = () =>
  new Option(
    '--preprocess <how>',
    "how the encoder's pictures are prepared: as its own files or its kind say, or as OpenAI's CLIP prepares them (for all encoders in the paper)",
  )
    .choices(PREPROCESS_CHOICES)
    .default('own');

export const strictOption = () => new Option('--strict', 'refuse unreadable images instead of skipping them');

/** `usual`: what holds if the option is not given. */
export const truncatedOption = (usual = 'skip') =>
  new Option(
    '--truncated <how>',
    `truncated image files: skip them, or read what is there as Pillow does with LOAD_TRUNCATED_IMAGES (default: ${usual})`,
  ).choices(TRUNCATED_CHOICES);

/** The value of `--truncated` for commands on a run. */
export const AS_IN_THE_RUN = 'as in the run';

/** Adds `--cache <dir>` and `--no-cache`. */
export function addCacheOptions(command: Command): Command {
  return command
    .option('--cache <dir>', 'cache of image features (default: $PTDPC_CACHE or ~/.cache/ptdpc)')
    .option('--no-cache', 'do not use the cache');
}

/** What `addCacheOptions` leaves in a command's options: a directory, false, or (true or undefined) the default. */
export interface CacheOptions {
  cache?: string | boolean;
}

/** Adds examples to a command's help: pairs of a command line and what it does. */
export function addExamples(command: Command, examples: readonly (readonly [line: string, what: string])[]): Command {
  const text = examples.map(([line, what]) => `  # ${what}\n  $ npx ${line}`).join('\n\n');
  return command.addHelpText('after', `\nExamples:\n${text}`);
}

/** What `addJobOptions` leaves in a command's options. */
export interface JobOptions extends CacheOptions {
  device: DeviceChoice;
  memory: number;
  strict?: boolean;
  truncated?: TruncatedImages;
  json?: boolean;
}

/** Adds the options of every command that encodes images. `usual`: what `--truncated` is without the option. */
export function addJobOptions(command: Command, usual?: string): Command {
  command.addOption(deviceOption()).addOption(memoryOption()).addOption(strictOption());
  return addCacheOptions(command.addOption(truncatedOption(usual))).addOption(jsonOption());
}

/** The folder that a command keeps features in; undefined if it keeps none. */
export function cacheDirectory({ cache }: CacheOptions): string | undefined {
  if (cache === false) return undefined;
  return typeof cache === 'string' ? cache : defaultCacheDirectory();
}
