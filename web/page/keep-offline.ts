/** Has the page's files kept for visits without a network. Where that is impossible, the page works all the same. */
import { ownScript } from '../trusted.js';

export function keepOffline(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  // After the page's own requests, which it would only slow down.
  addEventListener('load', () => {
    navigator.serviceWorker.register(ownScript('./service-worker.js')).catch(() => {});
  });
}
