/** Where words go: results to standard output, messages to standard error. */
import { printable } from '../errors.js';
import type { SkippedImage } from '../node/image-files.js';

/** One line of a result. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A result for programs: one JSON document. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** A message for people, of one line or several. What names from files hold to steer a terminal is escaped. */
export function say(message: string): void {
  process.stderr.write(`${message.split('\n').map(printable).join('\n')}\n`);
}

/** The reader of a pipe may leave early (`ptdpc ... | head`): that ends the program, quietly. */
export function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(process.exitCode ?? 0);
    });
  }
}

/** `3 images`, `1 image`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** At most this many lines of a list of trouble are printed; the rest is counted. */
const LONGEST_LIST = 20;

/** Lists files that were passed over: the last that a command says. */
export function saySkipped(skipped: readonly SkippedImage[]): void {
  if (skipped.length === 0) return;
  say(`${count(skipped.length, 'unreadable image')} skipped:`);
  for (const { reason } of skipped.slice(0, LONGEST_LIST)) say(`  ${reason}`);
  if (skipped.length > LONGEST_LIST) say(`  and ${skipped.length - LONGEST_LIST} more`);
}
