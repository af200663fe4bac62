/**
 * Ctrl-C and SIGTERM end the program at once (a shell sees exit code 130 or 143), even in the middle of a long computation:
 * that is what happens to a process without a handler. Only while there is something that must not stay behind, such as a
 * temporary file, does a handler take it away first.
 */

/** Must be synchronous: there is no event loop to wait for any more. */
export type CleanUp = () => void;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

const cleanUps = new Set<CleanUp>();

/** Registers a clean-up for an interruption. Call what it returns as soon as there is nothing left to undo. */
export function onInterrupt(cleanUp: CleanUp): () => void {
  if (cleanUps.size === 0) for (const signal of SIGNALS) process.on(signal, cleanUpAndEnd);
  cleanUps.add(cleanUp);
  return () => {
    cleanUps.delete(cleanUp);
    if (cleanUps.size === 0) for (const signal of SIGNALS) process.off(signal, cleanUpAndEnd);
  };
}

function cleanUpAndEnd(received: NodeJS.Signals): void {
  for (const cleanUp of cleanUps) {
    try {
      cleanUp();
    } catch {
      // The others still get their turn.
    }
  }
  for (const signal of SIGNALS) process.off(signal, cleanUpAndEnd);
  // Without the handler, the signal does what it does by default.
  process.kill(process.pid, received);
}
