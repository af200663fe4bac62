/** Handlers of signals for a time, which do not lose one that comes at its very end. */
import { setImmediate } from 'node:timers/promises';

/**
 * Calls `handle` for the first of `signals` that comes until it is disposed, instead of ending the process by default; `handle` is to send it
 * again when it is done.
 *
 * Node passes a signal on only when its event loop asks for events. One that has come but has not been passed on would be lost with its handler,
 * so disposing lets the loop ask once more before it takes the handler away. What remains is libuv's own race: a signal that interrupts another thread
 * of a busy machine just as the handler goes finds no one, and has to be sent again.
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
      // The turn that is running may have asked already; the next one asks.
      await setImmediate();
      await setImmediate();
      forget();
    },
  };
}
