/** What counts as handling an input well. */
import { InputError } from '../src/errors.js';
import type { FuzzedParser } from './parser.js';

/** `problem` is what went wrong; undefined if the input was read, or rejected as it should be. */
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

/** Readings of an input that seems to take too much memory. */
const MOST_READINGS = 3;

/**
 * Reads one input. Never rejects. The heap's growth counts garbage too, and how much of it lies about depends on when V8
 * collects and compiles: an input takes too much memory only if it does so in every one of several readings.
 */
export async function judge(parser: FuzzedParser, input: Uint8Array): Promise<Verdict> {
  const limit = parser.memory(input.length);
  let verdict = await reading(parser, input);
  for (let readings = 1; verdict.memory > limit && readings < MOST_READINGS; readings++) {
    const { memory, ...again } = await reading(parser, input);
    verdict = { ...again, memory: Math.min(memory, verdict.memory) };
  }
  const { memory, problem } = verdict;
  if (memory <= limit || problem !== undefined) return verdict;
  const tooMuch = `took ${memory} bytes of memory, more than ${Math.round(limit)}, for ${input.length}`;
  return { ...verdict, outcome: 'failed', problem: tooMuch };
}

async function reading(parser: FuzzedParser, input: Uint8Array): Promise<Verdict> {
  const before = memoryInUse();
  const started = process.cpuUsage();
  let problem: string | undefined;
  let outcome: Verdict['outcome'] = 'read';
  try {
    await parser.read(input);
  } catch (error) {
    problem = whatIsWrong(error, parser.names);
    outcome = problem === undefined ? 'rejected' : 'failed';
  }
  const { user, system } = process.cpuUsage(started);
  const figures = { duration: (user + system) / 1000, memory: Math.max(0, memoryInUse() - before) };
  return { outcome, ...figures, ...(problem !== undefined && { problem }) };
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
