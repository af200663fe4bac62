/**
 * The command line's frame: which commands there are, and what becomes of errors.
 *
 * Exit codes: 0 done; 1 a negative result (`verify`, `certify`, `lab`) or a defect of this program; 2 bad input or wrong usage; a signal ends it as it
 * ends any program (130 in a shell after Ctrl-C). Each error is one line, `ptdpc: <message>`.
 * Results go to standard output, everything else to standard error.
 */
import { Command, CommanderError, Help, type Option } from 'commander';
import { InputError, isError, messageOf } from '../errors.js';
import { DeviceError, DeviceLostError, DeviceMemoryError } from '../kernels/webgpu/faults.js';
import { packageVersion } from '../node/package.js';
import { explained, isSystemError } from '../node/system-error.js';
import { addProfileOption } from './device.js';
import { commandLine, missingLine, NegativeResult, say } from './output.js';

/** A command's file: fills in description, arguments, options, examples and action. */
export interface CommandModule {
  configure(command: Command): void;
}

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** The heading under which `ptdpc --help` lists it. */
  readonly group: string;
  /** Loaded only when the command is the one asked for, so that `ptdpc --help` is instant. */
  load(): Promise<CommandModule>;
}

/** Runs one command line (without `node` and the script). Returns the exit code. */
export async function run(commands: readonly CommandEntry[], given: readonly string[]): Promise<number> {
  const args = renamed(given);
  try {
    const program = await buildProgram(commands, args);
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    return report(error);
  }
}

/** Commands that have a new name. The old ones work for one more version, and say so. */
const RENAMED = [
  { from: ['tune'], to: ['autotune'] },
  { from: ['data', 'check'], to: ['data'] },
] as const;

/** Options that have a new name, of commands that begin so; the same holds for them. */
const RENAMED_OPTIONS = [
  { command: ['experiment'], from: '--settings', to: '--datasets' },
  { command: ['experiment'], from: '--deit', to: '--encoders' },
  { command: ['experiment', 'run'], from: '--plan', to: '--out' },
  { command: ['experiment', 'collect'], from: '--plan', to: '--out' },
] as const;

function renamed(given: readonly string[]): readonly string[] {
  const begins = (words: readonly string[]) => words.every((word, i) => word === given[i]);
  const found = RENAMED.find(({ from }) => begins(from));
  if (found) {
    say(`ptdpc ${found.from.join(' ')} is now called ptdpc ${found.to.join(' ')}`);
    return [...found.to, ...given.slice(found.from.length)];
  }
  let args = given;
  // What collect called --out was where tables go, beside --plan.
  if (begins(['experiment', 'collect']) && args.includes('--plan')) args = withOption(args, '--out', '--tables');
  for (const { command, from, to } of RENAMED_OPTIONS) if (begins(command)) args = withOption(args, from, to);
  return args;
}

/** The arguments with an option under its new name. */
function withOption(args: readonly string[], from: string, to: string): readonly string[] {
  const isOld = (word: string) => word === from || word.startsWith(`${from}=`);
  if (!args.some(isOld)) return args;
  say(`${from} is now called ${to}`);
  return args.map((word) => (isOld(word) ? to + word.slice(from.length) : word));
}

/** Says what went wrong, in one line. Returns the exit code. */
export function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof InputError) {
    say(`ptdpc: ${oneLine(error.message)}${advice(error)}`);
    if (process.env.PTDPC_DEBUG === '1') say(error.stack ?? '');
    return error instanceof NegativeResult ? 1 : 2;
  }
  // A file system that refuses something that no one foresaw is still no defect.
  if (isSystemError(error)) {
    say(`ptdpc: ${error.path === undefined ? '' : `${error.path}: `}${error.syscall} failed (${explained(error)})`);
    return 2;
  }
  say(`ptdpc: internal error: ${oneLine(messageOf(error))} (PTDPC_DEBUG=1 shows where)`);
  if (process.env.PTDPC_DEBUG === '1' && isError(error)) say(error.stack ?? '');
  return 1;
}

async function buildProgram(commands: readonly CommandEntry[], args: readonly string[]): Promise<Command> {
  const program = new Command('ptdpc')
    .description('Prompt tuning of a frozen CLIP for image emotion classification (PT-DPC).')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .addHelpText('after', '\nnpx ptdpc <command> --help has the options of a command, with examples.')
    .exitOverride()
    .configureOutput({ outputError: (text) => say(`ptdpc: ${oneLine(inOurWords(text))}`) });
  program.hook('preAction', (_, command) => rememberData(command));
  // The command is the first argument, or the second in `ptdpc help <command>`.
  const wanted = args[0] === 'help' ? args[1] : args[0];
  for (const entry of commands) await addCommand(program, entry, entry.name === wanted);
  return program;
}

/** Adds a command to the program: its name and summary, and all else only if it is wanted. */
export async function addCommand(program: Command, entry: CommandEntry, wanted: boolean): Promise<Command> {
  const { name, summary, group, load } = entry;
  program.configureHelp({ optionDescription: describeOption });
  const command = program.command(name).summary(summary).description(summary).helpGroup(`${group}:`);
  if (!wanted) return command;
  (await load()).configure(command);
  for (const one of [command, ...command.commands]) if (opensDevice(one)) addProfileOption(one);
  return command;
}

/** An error of commander's: what is missing in the words of `missingLine`, and arguments as options are named. */
function inOurWords(text: string): string {
  const error = text.replace(/^error: /, '').trim();
  const [, option, argument] =
    /^required option '(.*)' not specified$/.exec(error) ?? /^missing required ()argument '(.*)'$/.exec(error) ?? [];
  const [, value, name] = /^command-argument value '(.*)' is invalid for argument '(.*?)'\./.exec(error) ?? [];
  if (name) return `<${name}> '${value}' is invalid.${error.slice(error.indexOf(`'${name}'.`) + name.length + 3)}`;
  if (option) return missingLine(option.replace(/^-\w, /, ''));
  return argument ? missingLine(`<${argument}>`) : error;
}

/** As commander describes an option, with the default in one place, whoever wrote it. */
function describeOption(option: Option): string {
  return new Help()
    .optionDescription(option)
    .replace(/ \(default: ([^()]*)\) \((choices: [^()]*)\)$/, ' ($2, default: $1)');
}

/** Notes the folders of images that the user names, which are the ones whose pictures a report may show. */
async function rememberData(command: Command): Promise<void> {
  const { data, dataRoot, datasets = [] } = command.opts<{ data?: string; dataRoot?: string; datasets?: string[] }>();
  const folders = [data, dataRoot, ...datasets.map((one) => one.split('=')[1])];
  const named = folders.filter((folder) => folder !== undefined);
  if (named.length === 0) return;
  const { rememberFolder } = await import('../node/known-folders.js');
  for (const folder of named) await rememberFolder(folder);
}

/** Whether a command has the option that commands share: `lab` has its own, and measures by itself. */
export function opensDevice(command: Command): boolean {
  return command.options.some(({ long, argChoices }) => long === '--device' && argChoices?.includes('auto'));
}

/** What to do about a device that failed. */
function advice(error: InputError): string {
  if (error instanceof DeviceLostError)
    return `; resume with: ${commandLine()} (should it be lost again, a smaller --memory or --device cpu may help)`;
  if (error instanceof DeviceMemoryError) return '; try a smaller --memory, or --device cpu';
  return error instanceof DeviceError ? '; --device cpu does without it' : '';
}

function oneLine(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
}
