/** Handlers of signals for a time, which do not lose one that comes at its very end. */
import { setImmediate } from 'node:timers/promises';

/**
 * Calls `handle` for the first of `signals` that comes until it is disposed, instead of ending the process by default; `handle` is to send it
 * again when it is done.
 *
 * Node passes a signal on only when the main thread is idle. One that has come but has not been passed on would be lost with its handler, so
 * disposing lets the event loop turn once before it takes the handler away.
 */
export function onSignals(
  signals: readonly NodeJS.Signals[],
  handle: (signal: NodeJS.Signals) => void,
): AsyncDisposable {
  const forget = () => {
    for (const signal of signals) process.off(signal, once);
  };
  const once = (signal: NodeJS.Signals) => {
    forget();
    handle(signal);
  };
  for (const signal of signals) process.on(signal, once);
  return {
    [Symbol.asyncDispose]: async () => {
      await setImmediate();
      forget();
    },
  };
}
