/**
 * Ctrl-C and SIGTERM.
 *
 * A process without a handler ends at once, whatever it is doing; one with a handler ends when its main thread comes to rest. So there
 * is a handler only where something must be said or taken away first, and `interruptibly` lets Ctrl-C into computations that keep the
 * main thread busy. In the end the signal does what it does by default, so that a shell sees it (130 or 143) and stops its scripts.
 */
import { createContext, Script } from 'node:vm';

/** Must be synchronous: the event loop does not run any more. */
export type CleanUp = () => void;

type Signal = 'SIGINT' | 'SIGTERM';

const SIGNALS: readonly Signal[] = ['SIGINT', 'SIGTERM'];

const cleanUps = new Map<CleanUp, readonly Signal[]>();

/** Says that the program was interrupted, and what that means. */
let speak: ((meaning: string | undefined) => void) | undefined;

/** What an interruption means just now. The outermost counts: a command that runs another one knows more. */
const meanings: (() => string)[] = [];

/**
 * Registers a clean-up for an interruption. Call what it returns as soon as there is nothing left to undo. SIGTERM waits for the main
 * thread: what can also be put right later, such as a lock, is registered for Ctrl-C alone.
 */
export function onInterrupt(cleanUp: CleanUp, signals: readonly Signal[] = SIGNALS): () => void {
  cleanUps.set(cleanUp, signals);
  listen();
  return () => {
    cleanUps.delete(cleanUp);
    listen();
  };
}

/** Answers Ctrl-C from now on with `say`, which is called with what `whenInterrupted` was given. For programs. */
export function answerInterruptions(say: (meaning: string | undefined) => void): void {
  speak = say;
  listen();
}

/** Until it is disposed, `meaning` tells what there is after an interruption, and how to go on. */
export function whenInterrupted(meaning: () => string): Disposable {
  meanings.push(meaning);
  return {
    [Symbol.dispose]: () => {
      const at = meanings.lastIndexOf(meaning);
      if (at >= 0) meanings.splice(at, 1);
    },
  };
}

// A separate context passes the function to the script without a global variable.
const place: { body?: () => unknown } = {};
let script: { run(): unknown } | undefined;
let inside = false;

/**
 * Runs a synchronous computation that Ctrl-C ends in the middle, where Ctrl-C is answered at all: JavaScript, WebAssembly and
 * `Atomics.wait` alike. Node offers this for scripts (`breakOnSigint`), where another thread waits for the signal. It costs a tenth
 * of a millisecond. Calls inside of one another are one.
 */
export function interruptibly<T>(body: () => T): T {
  if (!speak || inside) return body();
  script ??= breakableScript();
  place.body = body;
  inside = true;
  try {
    return script.run() as T;
  } catch (error) {
    // Of the script's own context, so no instance of this one's Error.
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') end('SIGINT');
    throw error;
  } finally {
    inside = false;
  }
}

function breakableScript() {
  const compiled = new Script('body()');
  const context = createContext(place);
  return { run: () => compiled.runInContext(context, { breakOnSigint: true, displayErrors: false }) as unknown };
}

/** Listens only to signals that something is registered for. */
function listen(): void {
  for (const signal of SIGNALS) {
    const wanted =
      (signal === 'SIGINT' && speak !== undefined) ||
      [...cleanUps.values()].some((signals) => signals.includes(signal));
    const listening = process.listeners(signal).includes(end);
    if (wanted && !listening) process.on(signal, end);
    if (!wanted && listening) process.off(signal, end);
  }
}

function end(received: NodeJS.Signals): void {
  for (const cleanUp of [...cleanUps.keys()].reverse()) attempt(cleanUp);
  if (received === 'SIGINT') attempt(() => speak?.(meanings[0]?.()));
  for (const signal of SIGNALS) process.off(signal, end);
  // Without the handler, the signal does what it does by default.
  process.kill(process.pid, received);
}

/** What fails must not keep the rest from its turn. */
function attempt(body: () => void): void {
  try {
    body();
  } catch {
    // Nothing is left that could report it.
  }
}
