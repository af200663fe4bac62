/** Trying again after what may pass: the wait doubles each time, up to a limit, unless the server names another. */
import { setTimeout } from 'node:timers/promises';
import { InputError } from '../../errors.js';
import { TransferError } from './http.js';

export interface Retries {
  /** Attempts after the first that may fail one after the other. */
  readonly retries: number;
  /** Hears of each failure and of the wait that follows, in milliseconds. */
  readonly onRetry?: (reason: string, wait: number) => void;
  /** Waits; a test need not. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;
/** A server that asks for more than this is taken to mean "not today". */
const LONGEST_RETRY_AFTER = 300_000;

/**
 * Runs `attempt` until it succeeds. A failure after which `progress()` is
 * beyond all before starts the count anew. Throws InputError
 * beginning with `what` after the last one; errors other than TransferError pass.
 */
export async function withRetries<T>(
  what: string,
  { retries, onRetry, sleep = (milliseconds) => setTimeout(milliseconds) }: Retries,
  attempt: () => Promise<T>,
  progress: () => number = () => 0,
): Promise<T> {
  let failures = 0;
  let best = progress();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      failures = progress() > best ? 1 : failures + 1;
      best = Math.max(best, progress());
      const { message, retryAfter } = error;
      if (failures > retries) throw new Unreachable(`${what}: ${message}; gave up after ${failures} attempts`);
      if (retryAfter !== undefined && retryAfter > LONGEST_RETRY_AFTER) {
        throw new Unreachable(`${what}: ${message} and asks to wait ${Math.ceil(retryAfter / 60_000)} minutes`);
      }
      const wait = retryAfter ?? backOff(failures);
      onRetry?.(`${what}: ${message}`, wait);
      await sleep(wait);
    }
  }
}

/** What is left when all attempts have failed. */
export class Unreachable extends InputError {}

/** Doubling, with up to a quarter taken off at random, so that many clients do not come back at once. */
function backOff(failures: number): number {
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1));
  return wait * (1 - Math.random() / 4);
}
