/** What counts as handling an input well. */
import { InputError } from '../src/errors.js';
import type { FuzzedParser } from './parser.js';

/** `problem` is what went wrong; undefined where the input was read, or rejected as it should be. */
export interface Verdict {
  readonly outcome: 'read' | 'rejected' | 'failed';
  readonly problem?: string;
  /** Milliseconds of processor time. */
  readonly duration: number;
  /** Growth of the heap and of array buffers, in bytes; less than the truth where garbage was collected meanwhile. */
  readonly memory: number;
}

/** Far longer than any message that is worth reading. */
const LONGEST_MESSAGE = 1000;

/** Line breaks of every kind, and the control characters that terminals act upon. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Reads one input. Never rejects. */
export async function judge(parser: FuzzedParser, input: Uint8Array): Promise<Verdict> {
  const before = memoryInUse();
  const started = process.cpuUsage();
  let problem: string | undefined;
  let outcome: Verdict['outcome'] = 'read';
  try {
    await parser.read(input);
  } catch (error) {
    problem = whatIsWrong(error, parser.names);
    outcome = 'rejected';
  }
  const { user, system } = process.cpuUsage(started);
  const duration = (user + system) / 1000;
  const memory = Math.max(0, memoryInUse() - before);
  const limit = parser.memory(input.length);
  if (memory > limit) problem ??= `took ${memory} bytes of memory, more than ${Math.round(limit)}, for ${input.length}`;
  return problem === undefined ? { outcome, duration, memory } : { outcome: 'failed', problem, duration, memory };
}

function whatIsWrong(error: unknown, name: string): string | undefined {
  if (!(error instanceof InputError)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const { message } = error;
  if (UNPRINTABLE.test(message)) return `a message with control characters: ${JSON.stringify(message)}`;
  if (message.length > LONGEST_MESSAGE) return `a message of ${message.length} characters: ${message.slice(0, 200)}...`;
  return message.includes(name) ? undefined : `a message that does not name the file: ${message}`;
}

function memoryInUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
