/** Options that several commands share, and parsers that say what they expect. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { TRUNCATED_CHOICES } from '../clip/image/index.js';
import { DEVICE_CHOICES } from '../node/device-choice.js';

const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
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

/** `512MiB`, `1.5 GB`, `1000000`: a size in bytes. */
export function parseBytes(text: string): number {
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
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
      const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
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

/** A learning rate, or `auto`: chosen by validation. */
export function parseRate(text: string): number | 'auto' {
  if (text === 'auto') return text;
  try {
    return parsePositive(text);
  } catch {
    throw new InvalidArgumentError('Expected auto or a number above 0.');
  }
}

/** A number from 0. */
export function parseShare(text: string): number {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && Number.isFinite(share)))
    throw new InvalidArgumentError('Expected a number from 0.');
  return share;
}

/** Seeds are 32 bits wide. */
export const parseSeed = parseInteger(0, 2 ** 32 - 1);

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

export const strictOption = () => new Option('--strict', 'refuse unreadable images instead of skipping them');

/** `usual`: what holds where the option is not given. */
export const truncatedOption = (usual = 'skip') =>
  new Option(
    '--truncated <how>',
    `truncated image files: skip them, or read what is there as Pillow does with LOAD_TRUNCATED_IMAGES (default: ${usual})`,
  ).choices(TRUNCATED_CHOICES);

/** For commands on a run. */
export const runTruncatedOption = () => truncatedOption('as in the run');

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
  const text = examples.map(([line, what]) => `  # ${what}\n  $ ${line}`).join('\n\n');
  return command.addHelpText('after', `\nExamples:\n${text}`);
}
