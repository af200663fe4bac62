/**
 * Ctrl-C and SIGTERM end the program at once, but not without undoing: whatever leaves something behind that must not
 * stay (a temporary file, a terminal with its cursor switched off) registers a clean-up here.
 */

/** Must be synchronous: there is no event loop to wait for any more. */
export type CleanUp = () => void;

const cleanUps = new Set<CleanUp>();

/** Exit codes by shell convention: 128 plus the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Registers a clean-up for an interruption; call what it returns as soon as there is nothing left to undo. */
export function onInterrupt(cleanUp: CleanUp): () => void {
  cleanUps.add(cleanUp);
  return () => void cleanUps.delete(cleanUp);
}

/** Makes the two signals clean up and end the process with 130 or 143. For a program's entry point, not for libraries. */
export function exitOnInterrupt(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      for (const cleanUp of cleanUps) {
        try {
          cleanUp();
        } catch {
          // The others still get their turn.
        }
      }
      process.exit(EXIT_CODES[signal]);
    });
  }
}
