/** Runs something at once, and again whenever a file is saved. */
import { unwatchFile, watchFile } from 'node:fs';

/** Polled, since editors save by rename, which events of the file itself miss. */
const POLL_MILLISECONDS = 200;

/**
 * Never returns unless `job` throws. A file that is gone (between two steps of a save) is waited for; saves during a run lead to one more
 * run.
 */
export async function onEverySave(file: string, job: () => Promise<void>): Promise<never> {
  let wake = (): void => {};
  let saves = 0;
  let seen = 0;
  watchFile(file, { interval: POLL_MILLISECONDS }, (now) => {
    if (now.mtimeMs === 0) return;
    saves++;
    wake();
  });
  try {
    for (;;) {
      await job();
      if (saves === seen) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      seen = saves;
    }
  } finally {
    unwatchFile(file);
  }
}
