/** A progress bar with rate and time left, on standard error; nothing at all if that is not a terminal. */
import { type Options, SingleBar } from 'cli-progress';
import type { Events, ProgressBar } from '../node/events.js';
import { say } from './output.js';

export interface Progress extends ProgressBar {
  /** Takes the bar away. May be called twice. */
  stop(): void;
}

/** What long work tells, on the terminal. */
export const TERMINAL: Events = { say, progress };

/** Starts a bar for `total` of something; `unit` is what the rate counts ("images"). Stop it, or let `using` do so. */
export function progress(total: number, label: string, unit = ''): Progress {
  if (!process.stderr.isTTY) return { tick: () => {}, stop: () => {}, [Symbol.dispose]: () => {} };
  const started = performance.now();
  const bar = new SingleBar({
    stream: process.stderr,
    clearOnComplete: true,
    barsize: 20,
    // Nothing of the terminal is changed that an end by a signal would have to restore.
    hideCursor: false,
    linewrap: true,
    gracefulExit: false,
    format: (options, { value, total, progress, eta }, { note }: { note: string }) => {
      const seconds = (performance.now() - started) / 1000;
      const width = options.barsize ?? 20;
      const full = Math.round(progress * width);
      const line = `${'█'.repeat(full)}${'░'.repeat(width - full)} ${value}/${total}`;
      const rate = seconds > 0 ? `${shortNumber(value / seconds)}${unit && ` ${unit}`}/s` : '';
      return [`${label} ${line}`, rate, value > 0 ? `${clock(Number(eta))} left` : '', note].filter(Boolean).join(', ');
    },
  } satisfies Options);
  bar.start(total, 0, { note: '' });
  const stop = () => bar.stop();
  return {
    tick: (n, note) => bar.increment(n, note === undefined ? {} : { note }),
    stop,
    [Symbol.dispose]: stop,
  };
}

function shortNumber(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

/** Seconds as 1:05 or 2:00:05. */
function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}
