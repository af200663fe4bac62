/** Results go to standard output, messages to standard error; in colour on terminals, unless NO_COLOR is set. */
import { styleText } from 'node:util';
import { counted, InputError, printable } from '../errors.js';
import type { SkippedImage } from '../node/image-files.js';
import { explained } from '../node/system-error.js';
import { jsonText } from '../ptdpc/parse-json.js';

/** What was checked is not as it should be: the result is there, and the program ends with code 1. */
export class NegativeResult extends InputError {}

/** One line of a result, perhaps in a colour. Line breaks, and what names from files hold to steer a terminal, are escaped. */
export function print(line: string, colour?: 'green' | 'red'): void {
  const text = printable(line);
  process.stdout.write(`${colour ? styleText(colour, text, { stream: process.stdout }) : text}\n`);
}

/** A result of several lines, such as a table. */
export function printLines(text: string): void {
  for (const line of text.split('\n')) print(line);
}

/** A result for programs: one JSON document. What `print` escapes stands in strings only, if the escapes are JSON's own. */
export function printJson(value: unknown): void {
  printLines(jsonText(value));
}

/** One JSON document, as `printJson` prints it, with a list whose items are printed as they come. */
export class JsonStream {
  #items = 0;

  /** `before`: the keys before the list, whose key is `list`. */
  constructor(
    private readonly before: object,
    private readonly list: string,
  ) {}

  add(items: readonly unknown[]): void {
    for (const item of items) {
      if (this.#items++ === 0) this.#begin();
      else process.stdout.write(',\n');
      process.stdout.write(printableJson(`    ${jsonText(item).replaceAll('\n', '\n    ')}`));
    }
  }

  /** Closes the list; `after`: the keys after it. */
  end(after: object): void {
    if (this.#items === 0) {
      printJson({ ...this.before, [this.list]: [], ...after });
      return;
    }
    const rest = jsonText(after).slice(1);
    process.stdout.write(`\n  ]${rest.trim() === '}' ? '\n}' : `,${printableJson(rest)}`}\n`);
  }

  #begin(): void {
    const before = jsonText(this.before).slice(0, -1).trimEnd();
    process.stdout.write(
      printableJson(`${before === '{' ? before : `${before},`}\n  ${JSON.stringify(this.list)}: [\n`),
    );
  }
}

const printableJson = (text: string): string => text.split('\n').map(printable).join('\n');

/** Takes a progress bar off the line that it is drawn on; it is drawn anew at its next step. */
const CLEAR_LINE = '\r\u001b[K';

/** A message for people, of one line or several. What names from files hold to steer a terminal is escaped. */
export function say(message: string): void {
  process.stderr.write(
    `${process.stderr.isTTY ? CLEAR_LINE : ''}${message.split('\n').map(printable).map(marked).join('\n')}\n`,
  );
}

/** The line with the word that marks an error or a warning in colour. */
function marked(line: string): string {
  const [word] = /^(?:ptdpc|warning):(?= )/.exec(line) ?? [];
  if (word === undefined) return line;
  const colour = word === 'warning:' ? 'yellow' : 'red';
  return styleText(colour, word, { stream: process.stderr }) + line.slice(word.length);
}

/**
 * The reader of a pipe may leave early (`ptdpc ... | head`): that ends the program, quietly. So does, in one line, a disk that is full under a
 * file that output is redirected to.
 */
export function endWithOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    say(`ptdpc: standard output: cannot be written (${explained(error)})`);
    process.exit(2);
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? (process.exitCode ?? 0) : 2);
  });
}

/** At most this many lines of a list of trouble are printed; the rest is counted. */
const LONGEST_LIST = 20;

/** Lists files that were read though they are cut short, and those that were passed over: the last that a command says. */
export function saySkipped(skipped: readonly SkippedImage[], truncated: readonly string[]): void {
  if (truncated.length > 0) {
    say(`${counted(truncated.length, 'truncated image')} read as far as they go:`);
    for (const line of firstLines(truncated)) say(line);
  }
  if (skipped.length === 0) return;
  say(`${counted(skipped.length, 'unreadable image')} skipped:`);
  for (const line of firstLines(skipped.map(({ reason }) => reason))) say(line);
}

/** The beginning of a list, a line for each item, and how many more there are. */
export function firstLines(items: readonly string[]): string[] {
  const lines = items.slice(0, LONGEST_LIST).map((item) => `  ${item}`);
  return items.length > LONGEST_LIST
    ? [...lines, `  and ${(items.length - LONGEST_LIST).toLocaleString('en')} more`]
    : lines;
}

/** Says, before work that keeps what it has done, how to resume it: a signal ends the process without a last word. */
export function sayHowToResume(): void {
  say(`if interrupted, resume with: ${commandLine()}`);
}

/** An option that a command lacks, in the words of `missingLine`. */
export function missing(option: string, or: string): InputError {
  return new InputError(missingLine(option, or));
}

/** `--model <dir> or --config <run>: missing; npx ptdpc train --help has the options`. `words`: of the command. */
export function missingLine(what: string, or?: string, words: readonly string[] = commandWords()): string {
  const either = or === undefined ? what : `${what} or ${or}`;
  return `${either}: missing; ${commandLine([...words, '--help'])} has the options`;
}

/** The command and, of a command of commands, which one: the words before the first option. */
function commandWords(args: readonly string[] = process.argv.slice(2)): string[] {
  const first = args.findIndex((word) => word.startsWith('-'));
  const words = args.slice(0, first < 0 ? args.length : first);
  return words.slice(0, words[0] === 'experiment' || words[0] === 'lab' ? 2 : 1);
}

/** A command line of this program, for a shell: by default the one that it was started with. */
export function commandLine(args: readonly string[] = process.argv.slice(2)): string {
  // Found in a clone and below a folder that has it installed, where `ptdpc` alone is not.
  return ['npx', 'ptdpc', ...args].map(quoted).join(' ');
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
